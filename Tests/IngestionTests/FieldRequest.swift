import StorageChannel
import Testing

@testable import Ingestion

/// A request as a sender in the field makes it, and what becomes of it when all is well.
enum FieldRequest {
    /// What became of one request.
    struct End {
        let status: Int
        let text: String
        let identifiers: [UInt128]
        let records: [[EventRecord.Column: [UInt8]]]

        func text(_ column: EventRecord.Column, of position: Int = 0) -> String? {
            guard records.indices.contains(position) else { return nil }
            return records[position][column].map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Posts, and does what Redis and storage would do when all is well.
    static func post(
        _ bytes: [UInt8], to path: StaticString, requestID: String = "00000000000000000000000000000001",
        key: String? = Edge.keyText, query: StaticString? = nil, type: StaticString? = nil,
        encoding: StaticString? = nil
    ) throws -> End {
        let edge = Edge.knowingKey()
        edge.post(bytes: bytes, to: path, key: key, requestID: requestID, token: 1) { head in
            head.query = query?.bytes
            head.contentType = type?.bytes
            head.contentEncoding = encoding?.bytes
        }
        return try end(of: edge)
    }

    static func post(
        _ text: String, to path: StaticString, requestID: String = "00000000000000000000000000000001",
        key: String? = Edge.keyText, query: StaticString? = nil, type: StaticString? = nil
    ) throws -> End {
        try post(Array(text.utf8), to: path, requestID: requestID, key: key, query: query, type: type)
    }

    static func end(of edge: Edge) throws -> End {
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.requestsInHand == 0 && edge.bytesInHand == 0)
        return End(
            status: try #require(edge.answers[1]?.status), text: edge.text(1) ?? "", identifiers: edge.identifiers,
            records: edge.records)
    }
}
