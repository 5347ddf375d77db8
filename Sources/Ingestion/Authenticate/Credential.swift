internal import StorageChannel

/// The credential in a request's headers and query.
enum Credential: Equatable {
    /// Nothing.
    case absent
    case key(KeyID)
    /// Something other than a key where a key should be.
    case malformed
}
