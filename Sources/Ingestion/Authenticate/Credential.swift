internal import StorageChannel

/// What a request's headers and query say about who sends it.
enum Credential: Equatable {
    /// Nothing.
    case none
    case key(KeyID)
    /// Something that stands where a key should and is none.
    case malformed
}
