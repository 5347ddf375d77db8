/// What Mesher asks of Citus, in a database without it, whose one server then has all. Citus itself is in no package registry.
package enum CitusStandIn {
    /// To be executed by a superuser.
    package static let sql = """
        SET allow_system_table_mods = on;
        INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
        VALUES (99999, 'citus', 10, 11, false, '13.2-1');
        CREATE TABLE pg_catalog.pg_dist_node (noderole text, isactive boolean, shouldhaveshards boolean);
        CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass, partmethod "char");
        GRANT SELECT ON pg_catalog.pg_dist_node, pg_catalog.pg_dist_partition TO PUBLIC;
        CREATE FUNCTION pg_catalog.create_distributed_table(regclass, text, colocate_with text DEFAULT 'default')
            RETURNS void LANGUAGE sql AS $$ INSERT INTO pg_catalog.pg_dist_partition VALUES ($1, 'h') $$;
        CREATE FUNCTION pg_catalog.citus_total_relation_size(regclass) RETURNS bigint
            LANGUAGE sql AS $$ SELECT 1048576::bigint $$;
        RESET allow_system_table_mods
        """
}
