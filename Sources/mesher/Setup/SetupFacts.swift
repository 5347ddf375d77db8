/// What there is on this host, and in PostgreSQL, before `mesher setup` does anything.
struct SetupFacts {
    /// What PostgreSQL has; nil when both URLs were given, so that nothing is created there.
    struct Database {
        let roles: Set<String>
        /// The owners of the databases, by name.
        let databases: [String: String]
        /// Whether storage's role is a member of the role that has its rights.
        let isMember: Bool
        /// Where this server is, as it stands in a URL behind the `@`: `127.0.0.1` or `db.example:5433`.
        let place: String
    }

    /// A server that is in force, as `nginx -T` prints it.
    struct Nginx {
        let text: String
        let hasIPv6: Bool
    }

    let database: Database?
    /// Texts by path, of those that exist.
    let files: [String: String]
    /// Nil when the site is another's affair.
    let nginx: Nginx?
    /// The directory of Mesher's files for nginx.
    let share: String
    let hasUser: Bool
    let hasSystemd: Bool
    let isRunning: Bool
}
