package import PostgreSQL

/// Why the schema could not be read, migrated or maintained.
package enum SchemaError: Error, Equatable, CustomStringConvertible {
    /// PostgreSQL failed; of a migration's failed step nothing took effect.
    case database(DatabaseError, during: String)
    /// The schema was made by a newer Mesher than this program.
    case newer(found: Int, known: Int)
    /// The schema is older than this program needs.
    case outdated(found: Int, known: Int)
    /// schema_migrations does not list the steps from 1 on without a gap.
    case inconsistent(found: [Int])
    /// Retention is already running on another connection.
    case maintained

    package var description: String {
        switch self {
        case .database(let error, let during):
            "\(during): \(error)"
        case .newer(let found, let known):
            "the database's schema has version \(found), this program knows up to \(known): "
                + "use the mesher that made it, or a newer one"
        case .outdated(let found, let known):
            "the database's schema has version \(found), this program needs \(known): run mesher db migrate"
        case .inconsistent(let found):
            "schema_migrations lists \(found.map(String.init).joined(separator: ", ")), not every step from 1 on: "
                + "this database was changed by hand"
        case .maintained:
            "another mesher db maintain is at work on this database"
        }
    }
}

/// Statements whose errors say what they were for.
extension Connection {
    func execute(_ sql: String, during step: String) throws(SchemaError) {
        do throws(DatabaseError) {
            try execute(sql)
        } catch {
            throw .database(error, during: step)
        }
    }

    func query(_ sql: String, _ parameters: [String?] = [], during step: String) throws(SchemaError) -> Rows {
        do throws(DatabaseError) {
            return try query(sql, parameters)
        } catch {
            throw .database(error, during: step)
        }
    }
}
