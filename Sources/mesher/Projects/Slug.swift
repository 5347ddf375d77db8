/// The name by which an organization or project is called: a-z, 0-9 and inner hyphens, at most 63 characters, not a
/// number, since a number is an id.
enum Slug {
    static let limit = 63

    /// The slug of a name that a person has typed as NAME.
    ///
    /// - Throws: `CommandError` when too little is left of it.
    static func named(_ name: String) throws(CommandError) -> String {
        guard let slug = make(from: name) else { throw CommandError(.usage, "NAME needs a letter from a to z") }
        return slug
    }

    /// The slug of a name that a person chose; nil when too little is left of it.
    static func make(from name: String) -> String? {
        var slug = ""
        for character in name.lowercased() {
            if character.isASCII && (character.isLetter || character.isNumber) {
                slug.append(character)
            } else if !slug.isEmpty && slug.last != "-" {
                slug.append("-")
            }
            if slug.utf8.count == limit { break }
        }
        if slug.last == "-" { slug.removeLast() }
        return slug.contains(where: \.isLetter) || slug.contains("-") ? slug : nil
    }
}
