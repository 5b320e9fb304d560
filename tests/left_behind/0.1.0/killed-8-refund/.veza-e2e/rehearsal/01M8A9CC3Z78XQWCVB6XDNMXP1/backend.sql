BEGIN TRANSACTION;
CREATE TABLE faults (text TEXT PRIMARY KEY, remaining INTEGER NOT NULL);
CREATE TABLE hs_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, event_type TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, copies INTEGER NOT NULL, due_at TEXT NOT NULL);
INSERT INTO "hs_events" VALUES(1,'evt_ezuqgcAMDTE7idFmi6QC','payment_succeeded','{"merchant_id":"merchant_veza","event_id":"evt_ezuqgcAMDTE7idFmi6QC","event_type":"payment_succeeded","content":{"type":"payment_details","object":{"payment_id":"pay_1GzgcbEiJ06mjNlOtUox","merchant_id":"merchant_veza","processor_merchant_id":"merchant_veza","status":"succeeded","amount":500,"net_amount":500,"amount_capturable":0,"amount_received":500,"connector":"stripe_test","client_secret":"pay_1GzgcbEiJ06mjNlOtUox_secret_xxxxxxxxxxxxxxxxxxxx","created":"2026-11-25T21:21:57.802Z","updated":"2026-11-25T21:21:57.923Z","modified_at":"2026-11-25T21:21:57.923Z","expires_on":"2026-11-25T21:36:57.802Z","currency":"EUR","description":"Payment test beat","refunds":null,"disputes":null,"payment_method":"card","payment_method_data":{"card":{"last4":"4242","card_network":"Visa"}},"capture_method":"automatic","return_url":"http://127.0.0.1:29455/shop/return?order_id=97a34667-f614-4c52-8aa2-d7853cd55135","error_code":null,"error_message":null,"manual_retry_allowed":null,"connector_transaction_id":"pi_gaKd3TROdPaakSMYzDWT","merchant_order_reference_id":"97a34667-f614-4c52-8aa2-d7853cd55135","metadata":null,"payment_link":{"link":"http://127.0.0.1:29455/hyperswitch/payment_link/merchant_veza/pay_1GzgcbEiJ06mjNlOtUox","secure_link":null,"payment_link_id":"plink_1GzgcbEiJ06mjNlOtUox"},"attempt_count":1}},"timestamp":"2026-11-25T21:21:57.923Z"}','delivered',1,1,'2026-11-25T21:21:57.923Z');
INSERT INTO "hs_events" VALUES(2,'evt_uLPSHFuEJsZJyt9X0F5L','refund_succeeded','{"merchant_id":"merchant_veza","event_id":"evt_uLPSHFuEJsZJyt9X0F5L","event_type":"refund_succeeded","content":{"type":"refund_details","object":{"refund_id":"ref_O6GE61n3C0OAvPclIH0p","payment_id":"pay_1GzgcbEiJ06mjNlOtUox","amount":500,"currency":"EUR","status":"succeeded","reason":"payment walkthrough","metadata":null,"error_message":null,"error_code":null,"created_at":"2026-11-25T21:21:58.072Z","updated_at":"2026-11-25T21:21:58.077Z","connector":"stripe_test"}},"timestamp":"2026-11-25T21:21:58.077Z"}','delivered',1,1,'2026-11-25T21:21:58.077Z');
CREATE TABLE hs_payments (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, payment_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, amount INTEGER NOT NULL,
  amount_received INTEGER NOT NULL, tax INTEGER NOT NULL, currency CHAR(3) NOT NULL, client_secret TEXT NOT NULL,
  return_url TEXT NOT NULL, description TEXT NOT NULL, seller_name TEXT NOT NULL, order_reference TEXT,
  attempts INTEGER NOT NULL, card TEXT, error_code TEXT, error_message TEXT, transaction_id TEXT, dispute_id TEXT,
  created TEXT NOT NULL, updated TEXT NOT NULL, expires_on TEXT NOT NULL);
INSERT INTO "hs_payments" VALUES(1,'pay_1GzgcbEiJ06mjNlOtUox','succeeded',500,500,0,'EUR','pay_1GzgcbEiJ06mjNlOtUox_secret_xxxxxxxxxxxxxxxxxxxx','http://127.0.0.1:29455/shop/return?order_id=97a34667-f614-4c52-8aa2-d7853cd55135','Payment test beat','Nadia Rehearsal','97a34667-f614-4c52-8aa2-d7853cd55135',1,'{"last4": "4242", "card_network": "Visa"}',NULL,NULL,'pi_gaKd3TROdPaakSMYzDWT',NULL,'2026-11-25T21:21:57.802Z','2026-11-25T21:21:57.923Z','2026-11-25T21:36:57.802Z');
CREATE TABLE hs_refunds (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, refund_id TEXT NOT NULL UNIQUE, payment_id TEXT NOT NULL REFERENCES hs_payments (payment_id),
  amount INTEGER NOT NULL, currency CHAR(3) NOT NULL, status TEXT NOT NULL, reason TEXT, error_code TEXT,
  error_message TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, fails_at TEXT);
INSERT INTO "hs_refunds" VALUES(1,'ref_O6GE61n3C0OAvPclIH0p','pay_1GzgcbEiJ06mjNlOtUox',500,'EUR','succeeded','"payment walkthrough"',NULL,NULL,'2026-11-25T21:21:58.072Z','2026-11-25T21:21:58.077Z',NULL);
CREATE TABLE idempotency (
  user_id TEXT NOT NULL, operation TEXT NOT NULL, idempotency_key TEXT NOT NULL, digest TEXT NOT NULL,
  answer TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (user_id, operation, idempotency_key));
INSERT INTO "idempotency" VALUES('996f309d-43fa-452e-a649-ed3ece5070e2','createOrder','32fc5218e427cba44628a8353441fdac','0fde978c7fda631568242e202280db1cf5e9f1d2c213632ef9791caacbe1feb8','{"success": true, "data": {"order": {"seq": 1, "id": "97a34667-f614-4c52-8aa2-d7853cd55135", "buyer_id": "996f309d-43fa-452e-a649-ed3ece5070e2", "status": "pending_payment", "total_amount_cents": 500, "tax_amount_cents": 0, "currency": "EUR", "payment_id": "pay_1GzgcbEiJ06mjNlOtUox", "payment_status": "requires_payment_method", "refunded_amount_cents": 0, "created_at": "2026-11-25T21:21:57.802Z", "updated_at": "2026-11-25T21:21:57.802Z", "items": [{"product_id": "a0a51e32-83a8-5c40-8142-33b4cf5ca8b1", "license_type": "standard", "price_cents": 500}]}, "checkout_url": "http://127.0.0.1:29455/hyperswitch/payment_link/merchant_veza/pay_1GzgcbEiJ06mjNlOtUox", "payment_id": "pay_1GzgcbEiJ06mjNlOtUox", "client_secret": "pay_1GzgcbEiJ06mjNlOtUox_secret_xxxxxxxxxxxxxxxxxxxx"}}','2026-11-25T21:21:57.802Z');
INSERT INTO "idempotency" VALUES('996f309d-43fa-452e-a649-ed3ece5070e2','requestRefund','79d85584720623e5d1d274a49707553e','0b77d4d9f4ed4a33a9a4c87954490f2f3e7ddb18e0a10f06a4a79a494b65b1fe','{"success": true, "data": {"refund": {"id": "ref_O6GE61n3C0OAvPclIH0p", "status": "pending", "amount_cents": 500}, "order": {"seq": 1, "id": "97a34667-f614-4c52-8aa2-d7853cd55135", "buyer_id": "996f309d-43fa-452e-a649-ed3ece5070e2", "status": "refund_pending", "total_amount_cents": 500, "tax_amount_cents": 0, "currency": "EUR", "payment_id": "pay_1GzgcbEiJ06mjNlOtUox", "payment_status": "succeeded", "payment_updated": "2026-11-25T21:21:57.923Z", "refund_id": "ref_O6GE61n3C0OAvPclIH0p", "refund_status": "pending", "refunded_amount_cents": 0, "created_at": "2026-11-25T21:21:57.802Z", "updated_at": "2026-11-25T21:21:58.073Z", "completed_at": "2026-11-25T21:21:57.931Z", "items": [{"product_id": "a0a51e32-83a8-5c40-8142-33b4cf5ca8b1", "license_type": "standard", "price_cents": 500}]}}}','2026-11-25T21:21:58.073Z');
CREATE TABLE licenses (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL REFERENCES orders (id), buyer_id TEXT NOT NULL,
  product_id TEXT NOT NULL, license_type TEXT NOT NULL, status TEXT NOT NULL, granted_at TEXT NOT NULL,
  revoked_at TEXT);
INSERT INTO "licenses" VALUES(1,'9df2d782-c5db-453f-8f51-36d67aa0aecf','97a34667-f614-4c52-8aa2-d7853cd55135','996f309d-43fa-452e-a649-ed3ece5070e2','a0a51e32-83a8-5c40-8142-33b4cf5ca8b1','standard','revoked','2026-11-25T21:21:57.931Z','2026-11-25T21:21:58.081Z');
CREATE TABLE login_attempts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL, user_id TEXT, succeeded INTEGER NOT NULL, at TEXT NOT NULL);
INSERT INTO "login_attempts" VALUES(1,'127.0.0.1','996f309d-43fa-452e-a649-ed3ece5070e2',1,'2026-11-25T21:21:57.724Z');
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('starts','1');
CREATE TABLE order_items (
  order_id TEXT NOT NULL REFERENCES orders (id), position INTEGER NOT NULL, product_id TEXT NOT NULL
  REFERENCES products (id), seller_id TEXT NOT NULL, license_type TEXT NOT NULL, price_cents INTEGER NOT NULL,
  PRIMARY KEY (order_id, position));
INSERT INTO "order_items" VALUES('97a34667-f614-4c52-8aa2-d7853cd55135',0,'a0a51e32-83a8-5c40-8142-33b4cf5ca8b1','534307f5-9098-5c8f-8462-a89add7a3bd0','standard',500);
CREATE TABLE orders (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, buyer_id TEXT NOT NULL REFERENCES users (id), status TEXT NOT NULL,
  total_amount_cents INTEGER NOT NULL, tax_amount_cents INTEGER NOT NULL, currency CHAR(3) NOT NULL,
  payment_id TEXT NOT NULL UNIQUE, payment_status TEXT, payment_updated TEXT, refund_id TEXT, refund_status TEXT,
  refund_updated TEXT, refunded_amount_cents INTEGER NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, completed_at TEXT, refunded_at TEXT);
INSERT INTO "orders" VALUES(1,'97a34667-f614-4c52-8aa2-d7853cd55135','996f309d-43fa-452e-a649-ed3ece5070e2','refunded',500,0,'EUR','pay_1GzgcbEiJ06mjNlOtUox','succeeded','2026-11-25T21:21:57.923Z','ref_O6GE61n3C0OAvPclIH0p','succeeded','2026-11-25T21:21:58.077Z',500,'2026-11-25T21:21:57.802Z','2026-11-25T21:21:58.081Z','2026-11-25T21:21:57.931Z','2026-11-25T21:21:58.081Z');
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
INSERT INTO "seller_transfers" VALUES('047149ca-3949-446b-8608-9e3acd073a76','97a34667-f614-4c52-8aa2-d7853cd55135','534307f5-9098-5c8f-8462-a89add7a3bd0','tr_ASb7SuPD3VvbNzMDYR8c','acct_534307f590985c8f',450,50,'EUR','reversed',450,'trr_6epcBoAEob1Lrt541Ewg','2026-11-25T21:21:58.081Z',NULL,1,'2026-11-25T21:21:57.931Z','2026-11-25T21:21:58.081Z');
CREATE TABLE sellers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, stripe_account_id TEXT, onboarded INTEGER NOT NULL);
INSERT INTO "sellers" VALUES('534307f5-9098-5c8f-8462-a89add7a3bd0','Nadia Rehearsal','acct_534307f590985c8f',1);
INSERT INTO "sellers" VALUES('0fa7efae-b574-5f54-96b7-af8b76e3a036','Basement Loops','acct_0fa7efaeb5745f54',1);
INSERT INTO "sellers" VALUES('e4398bb4-5d66-5736-936d-0156eae2abdf','Not Onboarded Yet',NULL,0);
CREATE TABLE users (
  id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, username TEXT NOT NULL, role TEXT NOT NULL,
  created_at TEXT NOT NULL, last_login TEXT);
INSERT INTO "users" VALUES('4d1ed7b8-a359-41fe-aa61-062f90a29910','listener@veza.test','listener','user','2026-11-25T21:21:57.512Z',NULL);
INSERT INTO "users" VALUES('996f309d-43fa-452e-a649-ed3ece5070e2','operator@veza.test','operator','user','2026-11-25T21:21:57.512Z','2026-11-25T21:21:57.724Z');
CREATE TABLE webhook_receipts (
  event_id TEXT PRIMARY KEY, event_type TEXT NOT NULL, received_at TEXT NOT NULL);
INSERT INTO "webhook_receipts" VALUES('evt_ezuqgcAMDTE7idFmi6QC','payment_succeeded','2026-11-25T21:21:57.931Z');
INSERT INTO "webhook_receipts" VALUES('evt_uLPSHFuEJsZJyt9X0F5L','refund_succeeded','2026-11-25T21:21:58.081Z');
CREATE INDEX orders_of_buyer ON orders (buyer_id, seq);
CREATE INDEX licenses_of_buyer ON licenses (buyer_id, seq);
CREATE INDEX transfers_of_order ON seller_transfers (order_id);
CREATE INDEX payments_by_expiry ON hs_payments (status, expires_on);
CREATE INDEX refunds_of_payment ON hs_refunds (payment_id);
CREATE INDEX events_due ON hs_events (state, due_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('login_attempts',1);
INSERT INTO "sqlite_sequence" VALUES('hs_payments',1);
INSERT INTO "sqlite_sequence" VALUES('orders',1);
INSERT INTO "sqlite_sequence" VALUES('hs_events',2);
INSERT INTO "sqlite_sequence" VALUES('licenses',1);
INSERT INTO "sqlite_sequence" VALUES('hs_refunds',1);
COMMIT;
