*** Settings ***
Documentation       One purchase at a rehearsal backend, in nine requests: what bench_beside.py measures veza-e2e beside.
Library             Collections
Library             RequestsLibrary
Suite Setup         Create Session    veza    ${BASE_URL}


*** Test Cases ***
A purchase, its refund, and the revoked license
    Log in
    Choose a product
    Place the order
    Pay
    The order is completed
    The license is active
    The seller is paid
    Refund
    Wait Until Keyword Succeeds    10 s    0.5 s    The license is revoked


*** Keywords ***
Log in
    ${body} =    Create Dictionary    email=${EMAIL}    password=${PASSWORD}
    ${answer} =    POST On Session    veza    /api/v1/auth/login    json=${body}
    ${headers} =    Create Dictionary    Authorization=Bearer ${answer.json()}[data][access_token]
    VAR    ${HEADERS}    ${headers}    scope=SUITE

Choose a product
    ${answer} =    GET On Session    veza    /api/v1/marketplace/products    params=limit=100
    ${first} =    Get From List    ${answer.json()}[data]    0
    VAR    ${PRODUCT}    ${first}    scope=SUITE

Place the order
    ${item} =    Create Dictionary    product_id=${PRODUCT}[id]
    ${items} =    Create List    ${item}
    ${body} =    Create Dictionary    items=${items}
    ${answer} =    POST On Session    veza    /api/v1/orders    json=${body}    headers=${HEADERS}    expected_status=201
    VAR    ${ORDER}    ${answer.json()}[data][order]    scope=SUITE
    VAR    ${CHECKOUT}    ${answer.json()}[data][checkout_url]    scope=SUITE
    Should Be Equal As Integers    ${ORDER}[total_amount_cents]    ${PRODUCT}[price_cents]

Pay
    ${card} =    Create Dictionary    card_number=4242424242424242    expiry=12/40    cvc=123    attempt=0
    ${path} =    Evaluate    $CHECKOUT.removeprefix($BASE_URL)
    POST On Session    veza    ${path}    data=${card}    allow_redirects=${False}    expected_status=303

The order is completed
    ${answer} =    GET On Session    veza    /api/v1/orders/${ORDER}[id]    headers=${HEADERS}
    Should Be Equal    ${answer.json()}[data][status]    completed

The license is active
    ${answer} =    GET On Session    veza    /api/v1/licenses/mine    params=order_id=${ORDER}[id]    headers=${HEADERS}
    Should Be Equal    ${answer.json()}[data][0][status]    active

The seller is paid
    ${answer} =    GET On Session    veza    /rehearsal/books    params=order_id=${ORDER}[id]
    Should Be Equal    ${answer.json()}[transfers][0][status]    completed

Refund
    ${body} =    Create Dictionary    reason=a walkthrough
    POST On Session    veza    /api/v1/orders/${ORDER}[id]/refund    json=${body}    headers=${HEADERS}    expected_status=202

The license is revoked
    ${answer} =    GET On Session    veza    /api/v1/licenses/mine    params=order_id=${ORDER}[id]    headers=${HEADERS}
    Should Be Equal    ${answer.json()}[data][0][status]    revoked
