import Testing
import Util

@Suite struct RedactionTests {
    @Test(arguments: [
        ("mongodb://user:secret@host/db?x", "mongodb://user:***@host/db?x"),
        ("mongodb://user:secret@a:1,b:2,[::1]:3/db", "mongodb://user:***@a:1,b:2,[::1]:3/db"),
        ("mongodb+srv://user:p@ss@w@host", "mongodb+srv://user:***@host"),
        ("mongodb://user:se/cr?et@host/db", "mongodb://user:***@host/db"),
        ("mongodb://user:123/456@host/db", "mongodb://user:***@host/db"),
        ("mongodb://user:sec#ret@host/db", "mongodb://user:***@host/db"),
        ("mongodb://user:sec\u{301}ret@\u{301}host", "mongodb://user:***@\u{301}host"),
        ("mongodb://:secret@host", "mongodb://:***@host"),
        ("mongodb://user:@host", "mongodb://user:***@host"),
        ("mongodb://user:secret", "mongodb://user:***"),
        (
            "mongodb://u:p@h/?authMechanismProperties=AWS_SESSION_TOKEN:abc&authSource=admin",
            "mongodb://u:***@h/?authMechanismProperties=***&authSource=admin"
        ),
        (
            "mongodb://h/?tlsCertificateKeyFilePassword=abc&tls=true",
            "mongodb://h/?tlsCertificateKeyFilePassword=***&tls=true"
        ),
        ("nats://token@host:4222", "nats://***@host:4222"),
        ("nats://to/ken@host:4222", "nats://***@host:4222"),
        ("nats://u:p@h1,nats://tok@h2", "nats://u:***@h1,nats://***@h2"),
        ("nats://u:p,tls://x@h1", "nats://u:***,tls://***@h1"),
        ("https://user:secret@host/p@th", "https://user:***@th"),
        (
            "https://h/b?X-Amz-Signature=ab12&X-Amz-Credential=AK%2Fx&n=1#access_token=zz",
            "https://h/b?X-Amz-Signature=***&X-Amz-Credential=***&n=1#access_token=***"
        ),
        ("https://h/?pass%77ord=abc;api_key=1;KEY=2", "https://h/?pass%77ord=***;api_key=***;KEY=***"),
        ("HTTPS://user:pa/ss@host", "HTTPS://user:***@host"),
    ])
    func f38CredentialsInURLsAreMasked(text: String, expected: String) {
        #expect(Redaction.url(text) == expected)
        #expect(Redaction.urls(in: "cannot reach <\(text)>: refused") == "cannot reach <\(expected)>: refused")
    }

    @Test(arguments: [
        "", "plain", "http://host:8080/path/@scope/name?n=1&q=a@b.c", "https://[::1]:8080/x",
        "unix:///var/run/docker.sock",
        "mongodb://a,b:27017/db?replicaSet=rs0&authSource=admin", "nats://h1:4222,nats://h2:4222", "://", "a://",
        "http://", "tcp://%2Fpath", "a=b&c=d", "x://,://,",
    ])
    func whatHoldsNoCredentialStays(text: String) {
        #expect(Redaction.url(text) == text)
        #expect(Redaction.urls(in: text) == text)
    }

    @Test func anyTextIsHandledQuickly() {
        for piece in ["://", "@", ":", ",a://", "a://b:c@", "?key=", " ", "\u{301}", "%"] {
            let text = "x://u:secret@" + String(repeating: piece, count: 5_000)
            #expect(!Redaction.urls(in: text).contains("secret"))
        }
    }
}

@Suite struct SecretsTests {
    @Test func f38RegisteredValuesAreMaskedWhereverTheyOccur() {
        let secrets = Secrets()
        secrets.register("minio/Key+1")
        secrets.register("pa\"ss\\word")
        #expect(secrets.redact("key minio/Key+1, again minio/Key+1.") == "key ***, again ***.")
        #expect(secrets.redact("in a URL: minio%2FKey%2B1 minio%2fKey%2b1 minio/Key%2B1") == "in a URL: *** *** ***")
        #expect(secrets.redact(#"{"a":"pa\"ss\\word","b":"minio\/Key+1"}"#) == #"{"a":"***","b":"***"}"#)
        #expect(secrets.redact("nothing here") == "nothing here")
    }

    @Test func overlappingValuesLeaveNothingOver() {
        let secrets = Secrets()
        for value in ["abcd", "abcdef", "efgh"] { secrets.register(value) }
        #expect(secrets.redact("xabcdefghx abcd efghabcd") == "x***x *** ***")
    }

    @Test func shortValuesAreIgnored() {
        let secrets = Secrets()
        for value in ["", "a", "abc"] { secrets.register(value) }
        #expect(secrets.redact("abc a") == "abc a")
    }

    @Test func unregisteredCredentialsOfURLsAreMaskedToo() {
        #expect(Secrets().redact("to mongodb://u:hidden@h/db") == "to mongodb://u:***@h/db")
    }
}
