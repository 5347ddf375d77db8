-- As superuser of the primary, once.
CREATE ROLE mesher_owner LOGIN PASSWORD '@SECRET@';
CREATE ROLE mesher_storage LOGIN PASSWORD '@SECRET@';
CREATE ROLE mesher_runtime NOLOGIN;
GRANT mesher_runtime TO mesher_storage;
CREATE DATABASE mesher OWNER mesher_owner ENCODING 'UTF8' TEMPLATE template0;
