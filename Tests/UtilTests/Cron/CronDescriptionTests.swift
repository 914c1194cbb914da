import Testing
import Util

@Suite struct CronDescriptionTests {
    @Test(arguments: [
        ("* * * * *", "every minute (UTC)"),
        ("* * * * * *", "every second (UTC)"),
        ("*/10 * * * * *", "every 10 seconds (UTC)"),
        ("5 * * * * *", "at second 5 of every minute (UTC)"),
        ("5,10 */15 * * * *", "at seconds 5 and 10 of every 15th minute (UTC)"),
        ("*/15 * * * *", "every 15 minutes (UTC)"),
        ("*/30 * * * *", "every 30 minutes (UTC)"),
        ("0 * * * *", "every hour (UTC)"),
        ("@hourly", "every hour (UTC)"),
        ("30 * * * *", "every hour at minute 30 (UTC)"),
        ("5,35 * * * *", "at minutes 5 and 35 of every hour (UTC)"),
        ("*/7 * * * *", "at every 7th minute from 0 to 56 of every hour (UTC)"),
        ("10-20 * * * *", "at minutes 10 to 20 of every hour (UTC)"),
        ("0 */2 * * *", "every 2 hours (UTC)"),
        ("15 */6 * * *", "at 00:15, 06:15, 12:15 and 18:15 every day (UTC)"),
        ("15 */2 * * *", "every 2 hours at minute 15 (UTC)"),
        ("*/15 9-17 * * MON-FRI", "every 15 minutes from 09:00 to 17:59 on Monday to Friday (UTC)"),
        ("*/15 9,12 * * *", "every 15 minutes in the hours 9 and 12 (UTC)"),
        ("*/20 */6 * * *", "every 20 minutes of every 6th hour (UTC)"),
        ("0 9-17 * * 1-5", "at 09:00 to 17:00 on Monday to Friday (UTC)"),
        ("@daily", "at 00:00 every day (UTC)"),
        ("0 9 * * MON", "at 09:00 on Monday (UTC)"),
        ("30 9,17 * * MON,WED,FRI", "at 09:30 and 17:30 on Monday, Wednesday and Friday (UTC)"),
        ("30 0 9 * * *", "at 09:00:30 every day (UTC)"),
        ("0 10 * * SAT-SUN", "at 10:00 on Saturday and Sunday (UTC)"),
        ("0 10 * * FRI-MON", "at 10:00 on Monday and Friday to Sunday (UTC)"),
        ("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month (UTC)"),
        ("0 0 1,15 * MON", "at 00:00 on days 1 and 15 of the month or on Monday (UTC)"),
        ("0 0 */2 * *", "at 00:00 on days 1, 3 and so on to 31 of the month (UTC)"),
        ("0 0 L * *", "at 00:00 on the last day of the month (UTC)"),
        ("0 0 L-1 * *", "at 00:00 on the last day but one of the month (UTC)"),
        ("0 0 L-3 * *", "at 00:00 on the 3rd day before the last of the month (UTC)"),
        ("0 0 LW * *", "at 00:00 on the last weekday of the month (UTC)"),
        ("0 0 15W * *", "at 00:00 on the weekday nearest to day 15 of the month (UTC)"),
        ("0 0 1,L * *", "at 00:00 on day 1 and the last day of the month (UTC)"),
        ("0 0 ? * 5#3", "at 00:00 on the third Friday of the month (UTC)"),
        ("0 0 ? * 5L", "at 00:00 on the last Friday of the month (UTC)"),
        ("0 0 ? * MON,5L", "at 00:00 on Monday and the last Friday of the month (UTC)"),
        ("0 0 29 2 *", "at 00:00 on day 29 of the month in February (UTC)"),
        ("@yearly", "at 00:00 on day 1 of the month in January (UTC)"),
        ("0 12 * JUN-AUG,DEC *", "at 12:00 every day in June to August and December (UTC)"),
        ("TZ=Europe/Berlin 0 9 * * *", "at 09:00 every day (Europe/Berlin)"),
        ("@every 1h", "every hour, counted from 1970-01-01 00:00 UTC"),
        ("@every 1h30m", "every 1 hour 30 minutes, counted from 1970-01-01 00:00 UTC"),
        ("@every 45s", "every 45 seconds, counted from 1970-01-01 00:00 UTC"),
    ])
    func expressionsInEnglish(text: String, english: String) throws {
        #expect(try CronExpression(text).describe() == english)
    }

    @Test(arguments: [
        ("  */15   9-17 * *  mon-fri ", "*/15 9-17 * * 1-5"),
        ("0 0 ? * ?", "0 0 * * *"),
        ("08 007 * JAN,feb,MAR Sun", "8 7 * 1-3 0"),
        ("0 30 4 * * *", "30 4 * * *"),
        ("30 30 4 * * *", "30 30 4 * * *"),
        ("*/1 * * * *", "* * * * *"),
        ("0 0-23 * * *", "0 * * * *"),
        ("0,30 * * * *", "*/30 * * * *"),
        ("0,30 4 * * *", "0,30 4 * * *"),
        ("*/30 4 * * *", "*/30 4 * * *"),
        ("5-5/1 4 * * *", "5-5/1 4 * * *"),
        ("3,5-5/1 4,9 * * *", "3-3/1,5 4,9 * * *"),
        ("0 0 1-31 * MON", "0 0 1-31 * 1"),
        ("0 0 */1 * MON", "0 0 * * 1"),
        ("0 0 *,L * 1", "0 0 * * 1"),
        ("0 0 LW,15W,L,L-3,1 * 7L,FRI#3,2", "0 0 1,15W,L-3,L,LW * 2,5#3,0L"),
        ("0 22-2 * * FRI-MON", "0 0-2,22,23 * * 0,1,5,6"),
        ("TZ=UTC @weekly", "0 0 * * 0"),
        ("CRON_TZ=Asia/Tokyo @daily", "TZ=Asia/Tokyo 0 0 * * *"),
        ("@every 90s", "@every 1m30s"),
    ])
    func oneTextForOneMeaning(text: String, canonical: String) throws {
        let cron = try CronExpression(text)
        #expect(cron.canonical == canonical)
        #expect(try CronExpression(canonical) == cron)
        #expect(try CronExpression(canonical).hashValue == cron.hashValue)
        #expect("\(cron)" == canonical)
    }
}
