// Package courier delivers the simulated WhatsApp's webhooks: it queues updates per callback address, batches them, signs the
// exact bytes and retries what was not answered with 200, as Meta does but in compressed time.
//
// Updates of one address leave in the order they were queued, one request at a time unless configured otherwise; a batch that
// fails steps aside and is retried among newer ones. An address delivers nothing before it answered the verification
// handshake, and never delays another address. Memory is bounded: past Limit the oldest updates are dropped and counted.
package courier
