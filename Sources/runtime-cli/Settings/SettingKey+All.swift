extension SettingKey {
    static let store = SettingKey("store", "STORE", isSecret: true)
    static let mongoURI = SettingKey("mongo-uri", "MONGO_URI", isSecret: true)
    static let natsURL = SettingKey("nats-url", "NATS_URL", isSecret: true)
    static let reconcileInterval = SettingKey("reconcile-interval", "RECONCILE_INTERVAL")
    static let checkInterval = SettingKey("check-interval", "CHECK_INTERVAL")
    static let instance = SettingKey("instance", "RUNTIME_INSTANCE")
    static let backend = SettingKey("backend", "RUNTIME_BACKEND")
    static let localSandbox = SettingKey("local-sandbox", "LOCAL_SANDBOX")
    static let dockerHost = SettingKey("docker-host", "DOCKER_HOST")
    static let dockerTLSVerify = SettingKey("docker-tls-verify", "DOCKER_TLS_VERIFY")
    static let dockerCertificates = SettingKey("docker-cert-path", "DOCKER_CERT_PATH")
    static let dockerConfig = SettingKey("docker-config", "DOCKER_CONFIG")
    static let network = SettingKey("network", "DOCKER_NETWORK")
    static let pull = SettingKey("pull", "PULL_POLICY")
    static let image = SettingKey("image", "RUNTIME_IMAGES", isList: true)
    static let memoryLimit = SettingKey("memory-limit", "BOT_MEMORY_LIMIT")
    static let memoryLimitMegabytes = SettingKey("memory-limit-mb", "BOT_MEMORY_LIMIT_MB")
    static let cpuLimit = SettingKey("cpu-limit", "BOT_CPU_LIMIT")
    static let cpuShares = SettingKey("cpu-shares", "BOT_CPU_SHARES")
    static let parallelStarts = SettingKey("parallel-starts", "PARALLEL_STARTS")
    static let stopGrace = SettingKey("stop-grace", "STOP_GRACE")
    static let restartInitial = SettingKey("restart-initial", "RESTART_INITIAL")
    static let restartMaximum = SettingKey("restart-maximum", "RESTART_MAXIMUM")
    static let restartResetAfter = SettingKey("restart-reset-after", "RESTART_RESET_AFTER")
    static let cacheDirectory = SettingKey("cache-directory", "TEMP_DIR")
    static let cacheSize = SettingKey("cache-size", "CACHE_SIZE")
    static let user = SettingKey("user", "BOT_USER")
    static let processLimit = SettingKey("process-limit", "BOT_PROCESS_LIMIT")
    static let tmpSize = SettingKey("tmp-size", "BOT_TMP_SIZE")
    static let readOnlyRoot = SettingKey("read-only-root", "BOT_READ_ONLY_ROOT")
    static let dropCapabilities = SettingKey("drop-capabilities", "BOT_DROP_CAPABILITIES")
    static let noNewPrivileges = SettingKey("no-new-privileges", "BOT_NO_NEW_PRIVILEGES")
    static let engineLogSize = SettingKey("engine-log-size", "ENGINE_LOG_SIZE")
    static let engineLogFiles = SettingKey("engine-log-files", "ENGINE_LOG_FILES")
    static let logLevel = SettingKey("log-level", "LOG_LEVEL")
    static let logFormat = SettingKey("log-format", "LOG_FORMAT")
    static let listen = SettingKey("listen", "LISTEN")
    static let objects = SettingKey("objects", "OBJECT_STORE_DIR")
    static let minioEndpoint = SettingKey("minio-endpoint", "MINIO_ENDPOINT")
    static let minioAccessKey = SettingKey("minio-access-key", "MINIO_ACCESS_KEY", isSecret: true)
    static let minioSecretKey = SettingKey("minio-secret-key", "MINIO_SECRET_KEY", isSecret: true)
    static let minioAccessKeyFile = SettingKey("minio-access-key-file", "MINIO_ACCESS_KEY_FILE")
    static let minioSecretKeyFile = SettingKey("minio-secret-key-file", "MINIO_SECRET_KEY_FILE")
    static let minioTLS = SettingKey("minio-ssl", "MINIO_SSL", "MINIO_USE_SSL")
    static let minioRegion = SettingKey("minio-region", "MINIO_REGION")
    static let codeBucket = SettingKey("minio-code-bucket", "MINIO_CODE_BUCKET")
    static let logsBucket = SettingKey("minio-logs-bucket", "MINIO_LOGS_BUCKET")
    static let resultsBucket = SettingKey("minio-backtests-bucket", "MINIO_BACKTESTS_BUCKET")
    static let collectLogs = SettingKey("collect-logs", "COLLECT_LOGS")
    static let logSpoolSize = SettingKey("log-spool-size", "LOG_SPOOL_SIZE")
    static let maskLogs = SettingKey("mask-logs", "MASK_LOGS")

    /// Every setting that a settings file may hold.
    static let all = [
        store, mongoURI, natsURL, reconcileInterval, checkInterval, instance, backend, localSandbox, dockerHost,
        dockerTLSVerify, dockerCertificates, network, pull, image, memoryLimit, memoryLimitMegabytes, cpuLimit,
        cpuShares, parallelStarts, stopGrace, restartInitial,
        restartMaximum, restartResetAfter, cacheDirectory, cacheSize, user, processLimit, tmpSize, readOnlyRoot,
        dropCapabilities, noNewPrivileges, engineLogSize, engineLogFiles, logLevel, logFormat, listen, minioEndpoint,
        minioAccessKey, minioSecretKey, minioAccessKeyFile, minioSecretKeyFile, minioTLS, minioRegion, codeBucket,
        objects, dockerConfig,
        logsBucket, resultsBucket, collectLogs, logSpoolSize, maskLogs,
    ]
}
