internal import CCurl
internal import CCurlOptions

/// Posts JSON over HTTP; what one client sends shares connections. The corresponding C type is `CURL`.
struct HTTPClient: ~Copyable {
    struct Answer {
        /// RFC 9110.
        let status: Int
        let body: String
        /// Seconds, 0 when the answer names none.
        let retryAfter: Int
    }

    /// The longest answer that is read, in bytes.
    private static let limit = 1 << 20

    private let handle: UnsafeMutableRawPointer
    private let headers: UnsafeMutablePointer<curl_slist>?
    private let places: UnsafeMutablePointer<curl_slist>?

    private init(
        adopting handle: UnsafeMutableRawPointer, _ headers: UnsafeMutablePointer<curl_slist>?,
        _ places: UnsafeMutablePointer<curl_slist>?
    ) {
        self.handle = handle
        self.headers = headers
        self.places = places
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        curl_slist_free_all(places)
    }

    /// A client for one URL. The corresponding C function is `curl_easy_init`.
    ///
    /// - Parameters:
    ///   - headers: lines `Name: value` that are sent with each request.
    ///   - authorities: a file of certificates instead of the system's.
    ///   - address: a server to connect to, whatever address the URL's host has.
    /// - Throws: `CommandError` when libcurl cannot take the URL.
    static func open(
        _ url: String, headers lines: [String], authorities: String? = nil, through address: String? = nil
    ) throws(CommandError) -> HTTPClient {
        // To call it again does nothing; without the call curl_easy_init makes it.
        curl_global_init(Int(CURL_GLOBAL_ALL))
        guard let handle = curl_easy_init() else { throw CommandError(.software, "libcurl: out of memory") }
        let headers = lines.reduce(nil) { list, line in curl_slist_append(list, line) ?? list }
        let places = address.flatMap { curl_slist_append(nil, "::\($0):") }
        let client = HTTPClient(adopting: handle, headers, places)
        try client.set(mesher_curl_set_text(handle, CURLOPT_URL, url))
        try client.set(mesher_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
        try client.set(mesher_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, 10))
        try client.set(mesher_curl_set_number(handle, CURLOPT_TIMEOUT, 30))
        try client.set(mesher_curl_set_list(handle, CURLOPT_HTTPHEADER, headers))
        if let places { try client.set(mesher_curl_set_list(handle, CURLOPT_CONNECT_TO, places)) }
        if let authorities { try client.set(mesher_curl_set_text(handle, CURLOPT_CAINFO, authorities)) }
        return client
    }

    /// Posts a body and waits for the answer, 30 s at most. The corresponding C function is `curl_easy_perform`.
    ///
    /// - Throws: `CommandError` when there was no answer.
    func post(_ body: String) throws(CommandError) -> Answer {
        try post(Array(body.utf8))
    }

    /// Lets the head of an answer stand before its body: lines as they came.
    func includeHeads() throws(CommandError) {
        try set(mesher_curl_set_number(handle, CURLOPT_HEADER, 1))
    }

    /// Asks with OPTIONS. The answer is as `includeHeads` has it.
    func options() throws(CommandError) -> Answer {
        try includeHeads()
        try set(mesher_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, "OPTIONS"))
        return try perform()
    }

    /// The same of bytes, whatever they are.
    func post(_ body: [UInt8]) throws(CommandError) -> Answer {
        try set(mesher_curl_set_number(handle, CURLOPT_POSTFIELDSIZE, body.count))
        // Nil would have it read from standard input.
        let bytes = body.isEmpty ? [0] : body
        let code = bytes.withUnsafeBytes { bytes in
            mesher_curl_set_text(
                handle, CURLOPT_COPYPOSTFIELDS, bytes.bindMemory(to: CChar.self).baseAddress)
        }
        try set(code)
        return try perform()
    }

    /// Asks for a resource.
    ///
    /// - Parameter patience: how long the answer may take, in seconds.
    /// - Throws: as `post`.
    func get(patience: Int) throws(CommandError) -> Answer {
        try set(mesher_curl_set_number(handle, CURLOPT_TIMEOUT, patience))
        return try perform()
    }

    /// Asks for a resource's head alone, which becomes the answer's body: lines as they came.
    ///
    /// - Throws: as `post`.
    func head() throws(CommandError) -> Answer {
        try set(mesher_curl_set_number(handle, CURLOPT_NOBODY, 1))
        try includeHeads()
        return try perform()
    }

    private func perform() throws(CommandError) -> Answer {
        var received: [UInt8] = []
        let result = withUnsafeMutablePointer(to: &received) { sink in
            mesher_curl_set_sink(handle, Self.take, sink)
            return curl_easy_perform(handle)
        }
        guard result == CURLE_OK else { throw CommandError(.unavailable, Self.text(result)) }
        return Answer(
            status: mesher_curl_status(handle), body: String(decoding: received, as: UTF8.self),
            retryAfter: mesher_curl_retry_after(handle))
    }

    /// CURLOPT_WRITEFUNCTION(3): to take fewer bytes than came ends the transfer.
    private static let take: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int =
        {
            bytes, size, count, context in
            guard let bytes, let context, size == 1 else { return 0 }
            let received = context.assumingMemoryBound(to: [UInt8].self)
            guard received.pointee.count + count <= limit else { return 0 }
            received.pointee.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
            return count
        }

    private func set(_ code: CURLcode) throws(CommandError) {
        guard code == CURLE_OK else { throw CommandError(.usage, Self.text(code)) }
    }

    /// What went wrong, and what helps where that is certain. The corresponding C function is `curl_easy_strerror`.
    static func text(_ code: CURLcode) -> String {
        let text = String(cString: curl_easy_strerror(code))
        return switch code {
        case CURLE_PEER_FAILED_VERIFICATION:
            "\(text): if the authority is your own, pass its certificate as --ca-file"
        case CURLE_SSL_CACERT_BADFILE: "\(text): --ca-file needs certificates in PEM"
        default: text
        }
    }
}
