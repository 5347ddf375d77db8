/// The form of answers: Mesher's own, or the one that Sentry SDKs understand.
package enum Dialect: Sendable {
    case native, sentry
}
