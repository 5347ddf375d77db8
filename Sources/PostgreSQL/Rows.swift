internal import CPostgreSQL

/// What a statement returned, in text format. The corresponding C type is `PGresult`, freed with this value.
package struct Rows: ~Copyable {
    private let pointer: OpaquePointer

    init(adopting pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    /// The number of rows. The corresponding C function is `PQntuples`.
    package var count: Int { Int(PQntuples(pointer)) }

    /// The columns' names. The corresponding C function is `PQfname`.
    package var columns: [String] {
        (0..<PQnfields(pointer)).map { column in PQfname(pointer, column).map { String(cString: $0) } ?? "" }
    }

    /// How many rows an INSERT, UPDATE, DELETE or SELECT touched; 0 for other commands. The corresponding C function is
    /// `PQcmdTuples`.
    package var affectedRows: Int {
        PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// A value as PostgreSQL prints it, nil for NULL; row and column must exist. The corresponding C functions are
    /// `PQgetisnull` and `PQgetvalue`.
    package subscript(row row: Int, column column: Int) -> String? {
        precondition(row >= 0 && row < count && column >= 0 && column < Int(PQnfields(pointer)))
        if PQgetisnull(pointer, CInt(row), CInt(column)) != 0 { return nil }
        return PQgetvalue(pointer, CInt(row), CInt(column)).map { String(cString: $0) }
    }
}
