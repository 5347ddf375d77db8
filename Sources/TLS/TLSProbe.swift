internal import Glibc

/// A handshake whose only purpose is to see how it ends.
package enum TLSProbe {
    /// What a server expects before the handshake: these bytes, answered by that one.
    package struct Prologue: Sendable {
        let request: [UInt8]
        let consent: UInt8

        /// SSLRequest of PostgreSQL's protocol, "Message Formats" in its manual.
        package static let postgreSQL = Prologue(request: [0, 0, 0, 8, 4, 210, 22, 47], consent: UInt8(ascii: "S"))
    }

    /// A server that listens by TCP.
    package struct Server {
        /// What its certificate must be for.
        let name: String
        /// What is connected to.
        let address: String
        let port: String

        package init(name: String, address: String = "", port: String) {
            self.name = name
            self.address = address.isEmpty ? name : address
            self.port = port
        }
    }

    private enum Ending {
        case unreachable, complete
        case failed(TLSFault)
    }

    /// Seconds that each step may take.
    private static let patience = 3

    /// Why a server's certificate is not accepted, where the library that speaks to it does not say.
    ///
    /// - Returns: nil when nothing is wrong, or the server cannot be reached.
    package static func fault(of server: Server, _ context: TLSContext, after prologue: Prologue? = nil) -> TLSFault? {
        if case .failed(let fault) = handshake(with: server, context, after: prologue) { fault } else { nil }
    }

    /// Whether it is TLS that a server speaks, with whatever certificate.
    package static func speaksTLS(_ server: Server) -> Bool {
        switch handshake(with: server, TLSContext(TLSContext.Files(authorities: "")), after: nil) {
        case .unreachable: false
        case .complete: true
        case .failed(let fault):
            switch fault {
            case .untrusted, .outOfDate, .wrongName, .certificateMissing, .certificateRefused: true
            case .file, .notTLS, .closed, .other: false
            }
        }
    }

    private static func handshake(with server: Server, _ context: TLSContext, after prologue: Prologue?) -> Ending {
        guard let number = connect(server.address, server.port) else { return .unreachable }
        defer { close(number) }
        if let prologue {
            let count = prologue.request.count
            var answer: UInt8 = 0
            guard send(number, prologue.request, count, CInt(MSG_NOSIGNAL)) == count, recv(number, &answer, 1, 0) == 1,
                answer == prologue.consent
            else { return .unreachable }
        }
        do throws(TLSFault) {
            let stream = try TLSStream(context, descriptor: number, name: server.name)
            // The socket blocks for as long as its timeouts say.
            _ = try stream.flush()
            return stream.isEstablished ? .complete : .unreachable
        } catch {
            return .failed(error)
        }
    }

    /// A socket that blocks, for `patience` at most. The corresponding C functions are `getaddrinfo` and `connect`.
    private static func connect(_ host: String, _ port: String) -> CInt? {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &found) == 0 else { return nil }
        defer { freeaddrinfo(found) }
        var next = found
        while let place = next?.pointee {
            let number = socket(place.ai_family, place.ai_socktype | CInt(SOCK_CLOEXEC.rawValue), place.ai_protocol)
            guard number >= 0 else { return nil }
            var timeout = timeval(tv_sec: patience, tv_usec: 0)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                setsockopt(number, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
            }
            if Glibc.connect(number, place.ai_addr, place.ai_addrlen) == 0 { return number }
            close(number)
            next = place.ai_next
        }
        return nil
    }
}
