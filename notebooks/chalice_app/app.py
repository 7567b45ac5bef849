"""An app of AWS Chalice; moving.ipynb beside it has its handlers as cells."""

from chalice import Chalice, Cron
from chalicelib.stock import Shelf

app = Chalice(app_name="depot")
shelf = Shelf()


@app.on_sqs_message(queue="depot-movements", batch_size=5)
def move(event):
    for record in event:
        item, change = record.body.split()
        app.log.info("%s: %d on the shelf", item, shelf.change(item, int(change)))


@app.on_s3_event(bucket="depot-lists", events=["s3:ObjectCreated:*"], suffix=".txt")
def counted(event):
    app.log.info("a new count: %s in %s", event.key, event.bucket)


@app.schedule(Cron(0, 18, "?", "*", "MON-FRI", "*"))
def evening(event):
    app.log.info("%s closes at six", app.app_name)


@app.route("/stock/{item}")
def stock(item):
    return {"item": item, "pieces": shelf.pieces(item)}
