// Reads so many messages of a topic with kafkajs as npm installs it, and prints each as a line of JSON.
// node read.js SERVERS TOPIC COUNT; kafkajs is found in NODE_PATH. What is uncommitted is not shown (its default).

const { Kafka, logLevel } = require("kafkajs");

const [servers, topic, count] = process.argv.slice(2);
const kafka = new Kafka({ brokers: servers.split(","), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `${topic}.kafkajs` });
const base64 = (bytes) => (bytes === null ? null : Buffer.from(bytes).toString("base64"));
let left = Number(count);

function fail(error) {
  console.error(error);
  process.exit(1);
}

// Standard output is a pipe: what is still in it would be lost with the process.
function flush() {
  process.stdout.write("", () => process.exit(0));
}

async function show({ partition, message }) {
  if (left === 0) return;
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, base64(value)]),
  );
  const { offset, key, value } = message;
  console.log(JSON.stringify([partition, Number(offset), base64(key), base64(value), headers]));
  left -= 1;
  if (left === 0) setImmediate(() => consumer.disconnect().then(flush, fail));
}

async function main() {
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  // What it cannot read it would try again and again.
  consumer.on(consumer.events.CRASH, (event) => fail(event.payload.error));
  await consumer.run({ eachMessage: show });
}

main().catch(fail);
