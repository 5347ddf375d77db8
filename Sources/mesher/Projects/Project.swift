internal import PostgreSQL
internal import Schema

/// A row of `projects`; nil means the service's default.
struct Project {
    let id: Int64
    let slug: String
    let organization: String
    let rateLimitEvents: Int64?
    let rateLimitSeconds: Int64?
    let retentionDays: Int64?
    /// The origins of the pages that may send, separated by spaces; nil for any.
    let allowedOrigins: String?
    /// What is removed from events, separated by spaces; nil for nothing.
    let scrub: String?
    /// RFC 3339, UTC.
    let createdAt: String
}

extension Project {
    private static let selection = """
        SELECT p.id, p.slug, o.slug, p.rate_limit_events, p.rate_limit_seconds, p.retention_days,
            to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), array_to_string(p.allowed_origins, ' '),
            p.scrub
        FROM public.projects p JOIN public.organizations o ON o.id = p.organization_id
        """

    private init(_ rows: borrowing Rows, _ row: Int) {
        func number(_ column: Int) -> Int64? { rows[row: row, column: column].flatMap { Int64($0) } }
        id = number(0) ?? 0
        slug = rows[row: row, column: 1] ?? ""
        organization = rows[row: row, column: 2] ?? ""
        rateLimitEvents = number(3)
        rateLimitSeconds = number(4)
        retentionDays = number(5)
        createdAt = rows[row: row, column: 6] ?? ""
        allowedOrigins = rows[row: row, column: 7]
        scrub = rows[row: row, column: 8]
    }

    /// The same for people.
    var origins: String { allowedOrigins ?? "any origin" }
    var scrubbing: String { scrub?.split(separator: " ").joined(separator: ",") ?? "off" }

    /// Every project, by slug.
    static func all(on connection: borrowing Connection) throws(DatabaseError) -> [Project] {
        let rows = try connection.query(selection + " ORDER BY p.slug")
        return (0..<rows.count).map { Project(rows, $0) }
    }

    /// The project of a slug or an id.
    ///
    /// - Throws: `CommandError` when there is none, else `DatabaseError`.
    static func find(_ reference: String, on connection: borrowing Connection) throws -> Project {
        let isNumber = Int64(reference) != nil
        let rows = try connection.query(selection + (isNumber ? " WHERE p.id = $1" : " WHERE p.slug = $1"), [reference])
        guard rows.count == 1 else {
            throw CommandError(.dataError, "no project \(TextTable.printable(reference)); see mesher project list")
        }
        return Project(rows, 0)
    }

    /// Creates a project with its first key, both or neither, and returns its id.
    ///
    /// - Parameter seen: the highest id that is known of projects, also of those that a restore took away.
    /// - Throws: `CommandError` when the slug is taken or the organization does not exist, else `DatabaseError`.
    static func create(
        slug: String, organization: String, key: String, beyond seen: Int64, on connection: borrowing Connection
    ) throws -> Int64 {
        let rows: Rows
        do throws(DatabaseError) {
            try ProjectIDs.advance(beyond: seen, on: connection)
            rows = try connection.query(
                """
                WITH project AS (
                    INSERT INTO public.projects (organization_id, slug)
                    SELECT id, $2 FROM public.organizations WHERE slug = $1 RETURNING id
                ), key AS (
                    INSERT INTO public.api_keys (key, project_id, label) SELECT $3, id, 'first' FROM project
                )
                SELECT id FROM project
                """, [organization, slug, key])
        } catch {
            guard error.sqlState == Self.uniqueViolation else { throw error }
            throw CommandError(.dataError, "project \(slug) already exists; see mesher project show \(slug)")
        }
        guard rows.count == 1, let id = rows[row: 0, column: 0].flatMap({ Int64($0) }) else {
            throw CommandError(.dataError, "no organization \(organization); see mesher org list")
        }
        return id
    }

    /// unique_violation of PostgreSQL's appendix A.
    static let uniqueViolation = "23505"
}
