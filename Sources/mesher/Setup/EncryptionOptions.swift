internal import ArgumentParser

/// What TLS needs, by flags.
struct EncryptionOptions: ParsableArguments {
    @Option(help: "PostgreSQL: certificates (PEM) of the CAs that may sign its own.", completion: .file())
    var databaseCA: String?
    @Option(help: "PostgreSQL: client certificate (PEM) of the service.", completion: .file())
    var databaseCertificate: String?
    @Option(help: "PostgreSQL: the client certificate's private key.", completion: .file()) var databaseKey: String?
    @Option(help: "URL of a Redis elsewhere: redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS.")
    var redisURL: String?
    @Option(help: "Redis: certificates (PEM) of the CAs that may sign its own.", completion: .file())
    var redisCA: String?
    @Option(help: "Redis: client certificate (PEM) of the service.", completion: .file()) var redisCertificate: String?
    @Option(help: "Redis: the client certificate's private key.", completion: .file()) var redisKey: String?

    func validate() throws {
        guard (databaseCertificate == nil) == (databaseKey == nil) else {
            throw ValidationError("--database-certificate and --database-key belong together")
        }
        guard (redisCertificate == nil) == (redisKey == nil) else {
            throw ValidationError("--redis-certificate and --redis-key belong together")
        }
        let isEncrypted = redisURL.flatMap(RedisURL.init)?.isEncrypted == true
        guard isEncrypted || (redisCA == nil && redisCertificate == nil) else {
            throw ValidationError("--redis-ca and --redis-certificate need --redis-url rediss://…")
        }
    }
}
