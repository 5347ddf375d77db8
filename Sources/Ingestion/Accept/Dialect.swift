/// In whose terms a sender is answered: Mesher's own, or those that Sentry's programs know.
package enum Dialect: Sendable {
    case native, sentry
}
