"""The operations of the contract. Written by sdk/generate.py; not edited by hand."""

from veza._operation import Operation

BASE_PATH = "/api/v1"
GET_HEALTH = Operation(
    id="getHealth",
    method="GET",
    path="/health",
    auth=False,
    keyed=False,
    statuses=(200,),
    errors=(429, 503),
    parameters={},
    query=(),
    body=None,
)
GET_STATUS = Operation(
    id="getStatus",
    method="GET",
    path="/status",
    auth=False,
    keyed=False,
    statuses=(200,),
    errors=(429,),
    parameters={},
    query=(),
    body=None,
)
LOGIN = Operation(
    id="login",
    method="POST",
    path="/auth/login",
    auth=False,
    keyed=False,
    statuses=(200,),
    errors=(400, 401, 423, 429),
    parameters={},
    query=(),
    body={
        "type": "object",
        "required": ["email", "password"],
        "properties": {
            "email": {"type": "string", "minLength": 3, "maxLength": 254},
            "password": {"type": "string", "minLength": 1, "maxLength": 1024},
            "remember_me": {"type": "boolean"},
        },
    },
)
REFRESH_TOKEN = Operation(
    id="refreshToken",
    method="POST",
    path="/auth/refresh",
    auth=False,
    keyed=False,
    statuses=(200,),
    errors=(400, 401, 429),
    parameters={},
    query=(),
    body={
        "type": "object",
        "required": ["refresh_token"],
        "properties": {"refresh_token": {"type": "string", "minLength": 1, "maxLength": 4096}},
    },
)
LOGOUT = Operation(
    id="logout",
    method="POST",
    path="/auth/logout",
    auth=True,
    keyed=False,
    statuses=(200,),
    errors=(400, 401, 429),
    parameters={},
    query=(),
    body={
        "type": "object",
        "required": ["refresh_token"],
        "properties": {
            "refresh_token": {"type": "string", "minLength": 1, "maxLength": 4096},
            "all_devices": {"type": "boolean"},
        },
    },
)
GET_ME = Operation(
    id="getMe",
    method="GET",
    path="/auth/me",
    auth=True,
    keyed=False,
    statuses=(200,),
    errors=(401, 429),
    parameters={},
    query=(),
    body=None,
)
LIST_PRODUCTS = Operation(
    id="listProducts",
    method="GET",
    path="/marketplace/products",
    auth=False,
    keyed=False,
    statuses=(200,),
    errors=(400, 429),
    parameters={
        "page": {"type": "integer", "minimum": 1, "maximum": 1000000},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    },
    query=("page", "limit"),
    body=None,
)
GET_PRODUCT = Operation(
    id="getProduct",
    method="GET",
    path="/marketplace/products/{product_id}",
    auth=False,
    keyed=False,
    statuses=(200,),
    errors=(400, 404, 429),
    parameters={"product_id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"}},
    query=(),
    body=None,
)
LIST_ORDERS = Operation(
    id="listOrders",
    method="GET",
    path="/orders",
    auth=True,
    keyed=False,
    statuses=(200,),
    errors=(400, 401, 429),
    parameters={
        "page": {"type": "integer", "minimum": 1, "maximum": 1000000},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "status": {
            "type": "string",
            "enum": [
                "pending_payment",
                "completed",
                "failed",
                "cancelled",
                "expired",
                "refund_pending",
                "refunded",
                "refund_failed",
                "disputed",
            ],
        },
    },
    query=("page", "limit", "status"),
    body=None,
)
CREATE_ORDER = Operation(
    id="createOrder",
    method="POST",
    path="/orders",
    auth=True,
    keyed=True,
    statuses=(200, 201),
    errors=(400, 401, 404, 409, 422, 429, 503),
    parameters={"Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9_-]+$"}},
    query=(),
    body={
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": {
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "items": {
                    "type": "object",
                    "required": ["product_id"],
                    "properties": {
                        "product_id": {
                            "type": ["string", "integer"],
                            "minLength": 1,
                            "maxLength": 64,
                            "pattern": "^[A-Za-z0-9_-]+$",
                        },
                        "license_type": {"type": "string", "minLength": 1, "maxLength": 64},
                    },
                },
            }
        },
    },
)
GET_ORDER = Operation(
    id="getOrder",
    method="GET",
    path="/orders/{order_id}",
    auth=True,
    keyed=False,
    statuses=(200,),
    errors=(400, 401, 403, 404, 429),
    parameters={"order_id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"}},
    query=(),
    body=None,
)
REQUEST_REFUND = Operation(
    id="requestRefund",
    method="POST",
    path="/orders/{order_id}/refund",
    auth=True,
    keyed=True,
    statuses=(200, 202),
    errors=(400, 401, 403, 404, 409, 422, 429),
    parameters={
        "order_id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"},
        "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9_-]+$"},
    },
    query=(),
    body={
        "type": "object",
        "required": ["reason"],
        "properties": {
            "reason": {"type": "string", "minLength": 1, "maxLength": 500},
            "amount_cents": {"type": "integer", "minimum": 1},
        },
    },
)
LIST_MY_LICENSES = Operation(
    id="listMyLicenses",
    method="GET",
    path="/licenses/mine",
    auth=True,
    keyed=False,
    statuses=(200,),
    errors=(400, 401, 429),
    parameters={"order_id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"}},
    query=("order_id",),
    body=None,
)
OPERATIONS = {
    operation.id: operation
    for operation in (
        GET_HEALTH,
        GET_STATUS,
        LOGIN,
        REFRESH_TOKEN,
        LOGOUT,
        GET_ME,
        LIST_PRODUCTS,
        GET_PRODUCT,
        LIST_ORDERS,
        CREATE_ORDER,
        GET_ORDER,
        REQUEST_REFUND,
        LIST_MY_LICENSES,
    )
}
