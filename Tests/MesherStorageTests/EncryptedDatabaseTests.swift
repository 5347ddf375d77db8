import StorageChannel
import TestServers
import Testing

/// PostgreSQL over TLS, as storage meets it.
@Suite struct EncryptedDatabaseTests {
    @Test("a new certificate is taken under load, one that has expired is not: every event is stored, once")
    func rotation() throws {
        let authority = try CertificateAuthority()
        let server = try PostgreSQLServer(certificate: try authority.sign("server", owner: "postgres"))
        let storage = try StorageProcess(server: server, trusting: authority)
        let edge = try storage.edge()
        let sessions =
            "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'mesher-storage%'"
        #expect(try storage.value("SELECT bool_and(ssl) \(sessions)") == "t")

        /// Rotates, and ends all sessions among the events that are on their way.
        func rotate(isExpired: Bool, tickets: ClosedRange<UInt64>) throws {
            edge.send(tickets.prefix(tickets.count / 2).flatMap { TestEvent(ticket: $0).frame })
            _ = try authority.sign("server", isExpired: isExpired, owner: "postgres")
            try server.reload()
            try storage.endSessions()
            edge.send(tickets.dropFirst(tickets.count / 2).flatMap { TestEvent(ticket: $0).frame })
            let results = edge.results(tickets.count)
            #expect(results.count == tickets.count && results.values.allSatisfy { $0.result == .durable })
        }
        try rotate(isExpired: false, tickets: 1...400)
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(!storage.log.contains("verify failed"))
        // The server may read its files after the sessions have ended.
        try rotate(isExpired: true, tickets: 401...800)
        _ = try eventually {
            try storage.endSessions()
            return storage.log.contains("certificate verify failed")
        }
        #expect(storage.log.contains("certificate verify failed"))
        #expect(storage.log.contains("mesher check says why"))
        #expect(edge.store((801...900).map { TestEvent(ticket: $0) }).allSatisfy { $0 == .durable })
        try rotate(isExpired: false, tickets: 901...1_000)
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "1000" })
        #expect(eventually { edge.probe()?.degradation == [] })
    }

    @Test("a server whose CA is not trusted gets no event and no password; they wait on disk, and the log says why")
    func wrongAuthority() throws {
        let authority = try CertificateAuthority()
        let server = try PostgreSQLServer(certificate: try authority.sign("server", owner: "postgres"))
        let stranger = try CertificateAuthority()
        let storage = try StorageProcess(server: server, trusting: stranger)
        let edge = try storage.edge(whenAccepting: false)
        #expect(eventually { storage.log.contains("certificate verify failed") })
        #expect(edge.store([TestEvent(ticket: 1)]) == [.durable])
        #expect(eventually { !storage.spoolFiles().isEmpty })
        #expect(try storage.value("SELECT count(*) FROM events") == "0")
    }
}
