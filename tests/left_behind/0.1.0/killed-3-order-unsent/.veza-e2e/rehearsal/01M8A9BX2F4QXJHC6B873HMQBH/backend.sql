BEGIN TRANSACTION;
CREATE TABLE faults (text TEXT PRIMARY KEY, remaining INTEGER NOT NULL);
CREATE TABLE hs_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, event_type TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, copies INTEGER NOT NULL, due_at TEXT NOT NULL);
CREATE TABLE hs_payments (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, payment_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, amount INTEGER NOT NULL,
  amount_received INTEGER NOT NULL, tax INTEGER NOT NULL, currency CHAR(3) NOT NULL, client_secret TEXT NOT NULL,
  return_url TEXT NOT NULL, description TEXT NOT NULL, seller_name TEXT NOT NULL, order_reference TEXT,
  attempts INTEGER NOT NULL, card TEXT, error_code TEXT, error_message TEXT, transaction_id TEXT, dispute_id TEXT,
  created TEXT NOT NULL, updated TEXT NOT NULL, expires_on TEXT NOT NULL);
CREATE TABLE hs_refunds (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, refund_id TEXT NOT NULL UNIQUE, payment_id TEXT NOT NULL REFERENCES hs_payments (payment_id),
  amount INTEGER NOT NULL, currency CHAR(3) NOT NULL, status TEXT NOT NULL, reason TEXT, error_code TEXT,
  error_message TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, fails_at TEXT);
CREATE TABLE idempotency (
  user_id TEXT NOT NULL, operation TEXT NOT NULL, idempotency_key TEXT NOT NULL, digest TEXT NOT NULL,
  answer TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (user_id, operation, idempotency_key));
CREATE TABLE licenses (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL REFERENCES orders (id), buyer_id TEXT NOT NULL,
  product_id TEXT NOT NULL, license_type TEXT NOT NULL, status TEXT NOT NULL, granted_at TEXT NOT NULL,
  revoked_at TEXT);
CREATE TABLE login_attempts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL, user_id TEXT, succeeded INTEGER NOT NULL, at TEXT NOT NULL);
INSERT INTO "login_attempts" VALUES(1,'127.0.0.1','18b9459f-affc-48e6-9d14-55d9b93bab62',1,'2026-11-25T21:21:42.331Z');
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('starts','1');
CREATE TABLE order_items (
  order_id TEXT NOT NULL REFERENCES orders (id), position INTEGER NOT NULL, product_id TEXT NOT NULL
  REFERENCES products (id), seller_id TEXT NOT NULL, license_type TEXT NOT NULL, price_cents INTEGER NOT NULL,
  PRIMARY KEY (order_id, position));
CREATE TABLE orders (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, buyer_id TEXT NOT NULL REFERENCES users (id), status TEXT NOT NULL,
  total_amount_cents INTEGER NOT NULL, tax_amount_cents INTEGER NOT NULL, currency CHAR(3) NOT NULL,
  payment_id TEXT NOT NULL UNIQUE, payment_status TEXT, payment_updated TEXT, refund_id TEXT, refund_status TEXT,
  refund_updated TEXT, refunded_amount_cents INTEGER NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, completed_at TEXT, refunded_at TEXT);
CREATE TABLE products (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, title TEXT NOT NULL, seller_id TEXT NOT NULL
  REFERENCES sellers (id), price_cents INTEGER NOT NULL, currency CHAR(3) NOT NULL, status TEXT NOT NULL,
  license_types TEXT NOT NULL);
INSERT INTO "products" VALUES('a0a51e32-83a8-5c40-8142-33b4cf5ca8b1',0,'Payment test beat','534307f5-9098-5c8f-8462-a89add7a3bd0',500,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('6bf64f8c-e26a-5d67-9f3d-0c12956a260f',1,'<script>alert(1)</script> | "x" 
# y','0fa7efae-b574-5f54-96b7-af8b76e3a036',450,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('d69bbcbc-00ee-5021-8cf3-2b15c0c20fcf',2,'Orchestral stems, complete','534307f5-9098-5c8f-8462-a89add7a3bd0',4900,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('afcb52e4-6ca6-5fe1-8caa-5215cf04f6a3',3,'Boom bap drum kit (US)','0fa7efae-b574-5f54-96b7-af8b76e3a036',500,'USD','active','["standard", "extended"]');
INSERT INTO "products" VALUES('37c8b068-ab00-5566-8e19-e48e7aa54032',4,'House loop 1','534307f5-9098-5c8f-8462-a89add7a3bd0',199,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('17d956ce-6396-5b86-b5d4-b7268789fd12',5,'Techno loop 2','0fa7efae-b574-5f54-96b7-af8b76e3a036',299,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('933b6d2f-b41f-56d9-9183-e2de85ac00fb',6,'Ambient loop 3','534307f5-9098-5c8f-8462-a89add7a3bd0',399,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('b5f596e7-4212-5135-9db4-cb69ea6b6071',7,'Drum and Bass loop 4','0fa7efae-b574-5f54-96b7-af8b76e3a036',499,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('a6807a2d-9c81-5815-a864-318d309e967a',8,'Dub loop 5','534307f5-9098-5c8f-8462-a89add7a3bd0',599,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('cc4d49a6-8e8b-5e46-a977-a8a04dc46fa0',9,'Trap loop 6','0fa7efae-b574-5f54-96b7-af8b76e3a036',699,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('77b259da-45e7-52a2-bb88-f3f58260379f',10,'Lo-fi loop 7','534307f5-9098-5c8f-8462-a89add7a3bd0',799,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('1ba8def9-0671-5564-92b5-878ef11aad8a',11,'Disco loop 8','0fa7efae-b574-5f54-96b7-af8b76e3a036',899,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('189ef4b4-bd36-50c6-aba8-85acc3462c6e',12,'Jungle loop 9','534307f5-9098-5c8f-8462-a89add7a3bd0',999,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('18df0c02-5d1f-5ca8-bef7-fb28df325e88',13,'House loop 10','0fa7efae-b574-5f54-96b7-af8b76e3a036',199,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('cfb5f388-bda7-5ce0-8d5d-a8d97d7ed460',14,'Techno loop 11','534307f5-9098-5c8f-8462-a89add7a3bd0',299,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('14fae76b-e334-568e-b6f6-37467b8be6e6',15,'Ambient loop 12','0fa7efae-b574-5f54-96b7-af8b76e3a036',399,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('d9b5a5c6-0667-53e0-bd01-25e57e55ee22',16,'Drum and Bass loop 13','534307f5-9098-5c8f-8462-a89add7a3bd0',499,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('bda01f84-b4ef-56a6-ba28-e6815e859d48',17,'Dub loop 14','0fa7efae-b574-5f54-96b7-af8b76e3a036',599,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('373751d6-bb2c-59ba-90a0-476641dfb538',18,'Trap loop 15','534307f5-9098-5c8f-8462-a89add7a3bd0',699,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('19a79061-d30f-55c6-8a3a-bab1e466b5d7',19,'Lo-fi loop 16','0fa7efae-b574-5f54-96b7-af8b76e3a036',799,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('84ac4cbd-be01-55f2-b97d-8517d591b94e',20,'Disco loop 17','534307f5-9098-5c8f-8462-a89add7a3bd0',899,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('b0dcbf3b-8780-5af8-90d8-bb3da94ac1f6',21,'Jungle loop 18','0fa7efae-b574-5f54-96b7-af8b76e3a036',999,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('64eeeb85-dd7a-55a3-9731-ee4d159ad80c',22,'House loop 19','534307f5-9098-5c8f-8462-a89add7a3bd0',199,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('364ef40e-0f3e-5e46-9de9-59855a97c14a',23,'Techno loop 20','0fa7efae-b574-5f54-96b7-af8b76e3a036',299,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('6a6cba46-bc91-5f8c-851d-0689edb66ba9',24,'Ambient loop 21','534307f5-9098-5c8f-8462-a89add7a3bd0',399,'EUR','active','["standard", "extended"]');
INSERT INTO "products" VALUES('0bd257f3-250a-5311-9846-9a4250973bd5',25,'Withdrawn sample pack','0fa7efae-b574-5f54-96b7-af8b76e3a036',500,'EUR','inactive','["standard", "extended"]');
INSERT INTO "products" VALUES('f2f1acf1-9187-5ad9-8d32-52edf4a72426',26,'First upload of a new seller','e4398bb4-5d66-5736-936d-0156eae2abdf',500,'EUR','active','["standard", "extended"]');
CREATE TABLE refresh_tokens (
  digest TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id),
  created_at TEXT NOT NULL, expires_at TEXT NOT NULL, used_at TEXT);
CREATE TABLE seller_transfers (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id), seller_id TEXT NOT NULL,
  stripe_transfer_id TEXT, stripe_account_id TEXT, amount_cents INTEGER NOT NULL,
  platform_fee_cents INTEGER NOT NULL, currency CHAR(3) NOT NULL, status TEXT NOT NULL,
  reversed_amount_cents INTEGER NOT NULL, stripe_reversal_id TEXT, reversed_at TEXT, error_message TEXT,
  attempts INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE sellers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, stripe_account_id TEXT, onboarded INTEGER NOT NULL);
INSERT INTO "sellers" VALUES('534307f5-9098-5c8f-8462-a89add7a3bd0','Nadia Rehearsal','acct_534307f590985c8f',1);
INSERT INTO "sellers" VALUES('0fa7efae-b574-5f54-96b7-af8b76e3a036','Basement Loops','acct_0fa7efaeb5745f54',1);
INSERT INTO "sellers" VALUES('e4398bb4-5d66-5736-936d-0156eae2abdf','Not Onboarded Yet',NULL,0);
CREATE TABLE users (
  id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, username TEXT NOT NULL, role TEXT NOT NULL,
  created_at TEXT NOT NULL, last_login TEXT);
INSERT INTO "users" VALUES('7b1f2608-199b-43b9-9828-26d6bf045af2','listener@veza.test','listener','user','2026-11-25T21:21:41.999Z',NULL);
INSERT INTO "users" VALUES('18b9459f-affc-48e6-9d14-55d9b93bab62','operator@veza.test','operator','user','2026-11-25T21:21:41.999Z','2026-11-25T21:21:42.331Z');
CREATE TABLE webhook_receipts (
  event_id TEXT PRIMARY KEY, event_type TEXT NOT NULL, received_at TEXT NOT NULL);
CREATE INDEX orders_of_buyer ON orders (buyer_id, seq);
CREATE INDEX licenses_of_buyer ON licenses (buyer_id, seq);
CREATE INDEX transfers_of_order ON seller_transfers (order_id);
CREATE INDEX payments_by_expiry ON hs_payments (status, expires_on);
CREATE INDEX refunds_of_payment ON hs_refunds (payment_id);
CREATE INDEX events_due ON hs_events (state, due_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('login_attempts',1);
COMMIT;
