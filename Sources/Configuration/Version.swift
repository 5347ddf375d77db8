/// The version of all programs, Semantic Versioning 2.0.0.
package enum Version {
    package static let number = "0.1.0"
}
