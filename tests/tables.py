"""Tables of DynamoDB that tests need."""


def table_with_stream(client, name, **settings):
    """Make a table whose changes go into a stream; return what DynamoDB tells of it."""
    return client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        **settings,
    )["TableDescription"]
