package import StorageChannel

/// What is removed from events, ready to be looked for.
package final class ScrubPlan: Sendable {
    let names: SensitiveNames
    /// Names of headers whose value goes to the end of the line.
    let lines = SensitiveNames(ScrubPlan.headers.map { (Array($0.utf8), .anywhere) })
    /// What names of errors end with.
    let failures = SensitiveNames(["error", "exception", "failure"].map { (Array($0.utf8), .words) })
    /// Names of values that look like addresses and are none.
    let versions = SensitiveNames(["version", "release", "dist"].map { (Array($0.utf8), .words) })
    /// Card numbers, private keys, and what identifies someone in URLs and headers.
    let removesCredentials: Bool
    /// Addresses of hosts.
    let removesAddresses: Bool
    let removesMail: Bool
    /// Whether the address of an event's user is not put where the event leaves it open.
    let removesUserAddress: Bool

    package init(_ rules: ScrubRules) {
        var names: [(name: [UInt8], extent: SensitiveNames.Extent)] = []
        var (hasDefaults, hasAddresses, hasMail) = (false, false, false)
        for item in rules.items {
            switch String(decoding: item, as: UTF8.self) {
            case "default": hasDefaults = true
            case "ip": hasAddresses = true
            case "email": hasMail = true
            default: names.append((Array(item), .words))
            }
        }
        if hasDefaults {
            names += Self.anywhere.map { (Array($0.utf8), .anywhere) }
            names += Self.words.map { (Array($0.utf8), .words) }
            names += Self.whole.map { (Array($0.utf8), .whole) }
        }
        self.names = SensitiveNames(names)
        removesCredentials = hasDefaults
        removesAddresses = hasAddresses
        removesMail = hasMail
        removesUserAddress = hasAddresses || self.names.match(StaticString("ip_address").bytes)
    }

    // MARK: The default names

    private static let headers = ["authorization", "cookie"]

    private static let anywhere =
        headers + [
            "password", "passwd", "passphrase", "passcode", "passwort", "secret", "token", "credential", "api key",
            "access key", "private key", "session id", "sessid", "csrf", "xsrf", "credit card", "card number",
            "amz signature",
            "goog signature",
        ]

    private static let words = [
        "auth", "oauth", "pass", "pwd", "jwt", "otp", "totp", "two factor", "cvv", "cvc", "ssn", "connect sid", "iban",
    ]

    private static let whole = ["session", "user session", "sid"]
}
