import Foundation
import TestServers
import Testing

extension EndToEnd {
    struct EncryptedRedisTests {
        let project: Project
        private let event = #"{"message":"m","level":"info"}"#

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        private func reload() throws {
            let program = project.stack["MESHER_BIN"] + "/mesher"
            let run = try Execution.run(program, ["reload"], environment: project.stack.variables)
            try #require(run.status == 0, "\(run.errors)")
        }

        /// Whether Redis counts events that are posted: while a host counts alone, answers have no such header.
        private func isCounted() throws -> Bool {
            try eventually { try project.post(event).header("RateLimit") != nil }
        }

        @Test(
            "Workers and sessions count over TLS, confined; a reload reads renewed certificates, and without it the log says why"
        )
        func overTLS() throws {
            let path = project.stack.folder + "/mesher.conf"
            let good = try String(contentsOfFile: path, encoding: .utf8)
            defer {
                try? good.write(toFile: path, atomically: true, encoding: .utf8)
                try? reload()
            }
            let authority = try CertificateAuthority()
            let redis = try LoopbackRedis(try authority.sign("server"), clients: authority)
            let client = try authority.sign("client")
            let settings = """
                MESHER_REDIS_SOCKET=
                MESHER_REDIS_HOST=localhost
                MESHER_REDIS_PORT=\(redis.port)
                MESHER_REDIS_TLS=on
                MESHER_REDIS_CA=\(authority.certificate)
                MESHER_REDIS_CERTIFICATE=\(client.certificate)
                MESHER_REDIS_CERTIFICATE_KEY=\(client.key)

                """
            try (good + settings).write(toFile: path, atomically: true, encoding: .utf8)
            try reload()
            #expect(try isCounted())
            func counted() throws -> Int? {
                let credentials = [
                    "--cacert", authority.certificate, "--cert", client.certificate, "--key", client.key,
                ]
                let place = ["redis-cli", "--tls", "-h", "localhost", "-p", "\(redis.port)"]
                return Int(try Execution.output(place + credentials + ["GET", "mesher:limit:{\(project.id)}"]))
            }
            let before = try #require(try counted())
            let stream = try Streams(project: project).open(throughNginx: true)
            stream.send(event)
            #expect(stream.receive().isAccepted)
            #expect(try counted() == before + 1)
            stream.close()

            // Another CA signs everything anew, in the same files.
            let next = try CertificateAuthority()
            _ = try (next.sign("server"), next.sign("client"))
            redis.stop()
            try Execution.output(["sh", "-c", "cp -f \(next.folder)/* \(authority.folder)"])
            try redis.start()
            let log = project.stack.folder + "/watchdog.log"
            let isSaid = try eventually {
                _ = try project.post(event)
                return try String(contentsOfFile: log, encoding: .utf8).contains(
                    "the server's certificate is not trusted")
            }
            #expect(isSaid)
            #expect(try project.post(event).status == 202)
            // As an operator, whose shell has none of these settings.
            let check = try Execution.run(
                project.stack["MESHER_BIN"] + "/mesher", ["check", "--config", path],
                environment: ["PATH": "/usr/bin:/bin"])
            let names = "MESHER_REDIS_CA, MESHER_REDIS_CERTIFICATE, MESHER_REDIS_CERTIFICATE_KEY"
            #expect(check.output.contains("changed since the service read it: \(names)"), "\(check.output)")
            try reload()
            #expect(try isCounted())
        }
    }
}
