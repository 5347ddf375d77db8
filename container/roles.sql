-- Run once by the image postgres, when its volume is empty.
\getenv owner OWNER_PASSWORD
\getenv storage STORAGE_PASSWORD
CREATE ROLE mesher_owner LOGIN PASSWORD :'owner';
CREATE ROLE mesher_storage LOGIN PASSWORD :'storage';
CREATE ROLE mesher_runtime NOLOGIN;
GRANT mesher_runtime TO mesher_storage;
CREATE DATABASE mesher OWNER mesher_owner ENCODING 'UTF8' TEMPLATE template0;
