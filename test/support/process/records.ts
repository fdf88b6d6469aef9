/** Finds the audit records of a connection by the request id of a response or by the client's port. */
import { expect } from 'vitest';
import type { Message } from '../http/http.ts';
import type { AuditRecord, Gateway } from './gateway.ts';

/** The record of the connection that this message came over: an answer to the client, or a request to the host. */
export function handshakeOf(gateway: Gateway, answer: Message): Promise<AuditRecord> {
  const id = answer.field('x-request-id') ?? '';
  return gateway.audit(({ type, conn_id }) => type === 'handshake' && id.startsWith(`${conn_id}.`));
}

/** Connection id → the client's socket. */
const owners = new Map<string, object>();

/**
 * The record of the connection of this socket, found by the client's address and port; to be called while the socket has its
 * port. A record that was returned for another socket is skipped: ports are reused. A record that no test looked for is not
 * skipped: where such connections precede, the test needs an address of its own.
 */
export async function handshakeFrom(
  gateway: Gateway,
  socket: { readonly localAddress?: string | undefined; readonly localPort?: number | undefined },
): Promise<AuditRecord> {
  const { localAddress, localPort } = socket;
  const record = await gateway.audit(
    ({ type, source_address, source_port, conn_id }) =>
      type === 'handshake' &&
      source_port === localPort &&
      source_address === (localAddress ?? source_address) &&
      (owners.get(conn_id) ?? socket) === socket,
  );
  owners.set(record.conn_id, socket);
  return record;
}

/** The record of this message: an answer of the gateway's own to the client, or a request to the host. */
export function messageOf(gateway: Gateway, message: Message): Promise<AuditRecord> {
  const id = message.field('x-request-id');
  return gateway.audit(({ type, request_id }) => type === 'message' && request_id === id);
}

/** Both records of a refused request; the message record must have the same status and the X-Request-Id of the response. */
export async function refusalOf(
  gateway: Gateway,
  answer: Message,
): Promise<{ handshake: AuditRecord; message: AuditRecord }> {
  const id = answer.field('x-request-id');
  expect(id).toMatch(/^[0-9a-f]+-[0-9a-f]+\.1$/);
  const message = await gateway.audit(({ type, request_id }) => type === 'message' && request_id === id);
  const handshake = await handshakeOf(gateway, answer);
  expect(message).toMatchObject({ conn_id: handshake.conn_id, outcome: 'denied', reason: handshake.reason });
  return { handshake, message };
}

/** Stops the gateway, so that no record can follow: as many handshake records as connections, no id twice. */
export async function expectOneRecordEach(gateway: Gateway, connections?: number): Promise<void> {
  expect(await gateway.stop()).toEqual({ code: 0 });
  const ids = gateway.records().flatMap(({ type, conn_id }) => (type === 'handshake' ? [conn_id] : []));
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  if (connections !== undefined) expect(ids).toHaveLength(connections);
}
