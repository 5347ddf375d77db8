import CJSON

/// A walk over the members of an object or array; of an array their names are absent.
///
/// Strings have their escapes: `TextRoom` resolves them.
struct JSONMembers: Sequence, IteratorProtocol {
    private let parser: OpaquePointer?
    private var place = mesher_json_members()

    init(of container: mesher_json_value, _ parser: OpaquePointer?) {
        self.parser = parser
        guard let parser else { return }
        var container = container
        place = mesher_json_members_of(parser, &container)
    }

    mutating func next() -> (name: mesher_json_value, value: mesher_json_value)? {
        guard let parser else { return nil }
        var name = mesher_json_value()
        var value = mesher_json_value()
        return mesher_json_next_member(parser, &place, &name, &value) ? (name, value) : nil
    }
}
