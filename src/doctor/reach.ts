/** Whether the name resolves and its addresses accept TCP connections: measured, then judged. */
import { isIP } from 'node:net';
import type { Deadline } from '../probe/deadline.ts';
import { connectTcp, type Resolution, resolveHost, type TcpConnection } from '../probe/reach.ts';
import { type Check, check, fail, type Judgement, milliseconds, pass, unknown } from './check.ts';

export interface ReachFacts {
  /** Empty: the host is an address. */
  readonly resolutions: readonly Resolution[];
  readonly connections: readonly TcpConnection[];
}

/** A name with more addresses is a large load balancer, whose addresses are alike. */
const maxAddresses = 8;

export async function measureReach(options: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly deadline: Deadline;
}): Promise<ReachFacts> {
  const { host, port, timeoutMs, deadline } = options;
  const resolutions =
    isIP(host) === 0 ? await resolveHost({ host, timeoutMs: deadline.wait(timeoutMs).ms }) : [];
  const addresses = resolutions.length === 0 ? [host] : resolutions.flatMap(({ addresses }) => addresses);
  const connections: TcpConnection[] = [];
  // One after the other, so that each time is that of one connection.
  for (const address of addresses.slice(0, maxAddresses)) {
    if (deadline.isOver) break;
    connections.push(await connectTcp({ address, port, timeoutMs: deadline.wait(timeoutMs).ms }));
  }
  return { resolutions, connections };
}

export function reachChecks({ resolutions, connections }: ReachFacts): Check[] {
  return [check('resolve', judgeName(resolutions)), check('connect', judgeConnections(connections))];
}

/** The first address that connected, and how long that took; null: none. */
export function reachableAddress({ connections }: ReachFacts): TcpConnection | null {
  return connections.find(isConnected) ?? null;
}

function judgeName(resolutions: readonly Resolution[]): Judgement {
  if (resolutions.length === 0) return pass('the URL has an IP address');
  const fact = resolutions.map(describeResolution).join('; ');
  if (resolutions.some(({ addresses }) => addresses.length > 0)) return pass(fact);
  return fail(fact, 'add an A record (and AAAA for IPv6) for the name, or correct the name');
}

function describeResolution({ family, addresses, error, ms }: Resolution): string {
  const type = family === 4 ? 'A' : 'AAAA';
  const absent = error === null || error === 'ENOTFOUND' || error === 'ENODATA' ? 'none' : error;
  return `${type} ${addresses.length > 0 ? addresses.join(', ') : absent} (${milliseconds(ms)})`;
}

/** This machine has no route or no address of that family: says nothing about the endpoint. */
const ofThisMachine: readonly string[] = ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];

function judgeConnections(connections: readonly TcpConnection[]): Judgement {
  if (connections.length === 0) return unknown('there is no address', 'see the name above');
  const fact = connections.map(describeConnection).join('; ');
  const refused = connections.filter((each) => !isConnected(each));
  if (refused.length === 0) return pass(fact);
  const addresses = refused.map(({ address }) => address).join(', ');
  if (
    refused.length < connections.length &&
    refused.every(({ error }) => ofThisMachine.includes(error ?? ''))
  )
    return unknown(fact, `this machine has no route to ${addresses}: try it from another network`);
  return fail(
    fact,
    `clients that choose ${addresses} cannot connect: open the port there (listener, firewall, load balancer), or remove the record`,
  );
}

/** A server that accepts and resets at once does so before or after this machine knows that it connected. */
function isConnected({ error }: TcpConnection): boolean {
  return error === null || error === 'ECONNRESET';
}

function describeConnection({ address, error, ms }: TcpConnection): string {
  return error === null ? `${address} in ${milliseconds(ms)}` : `${address} ${describeError(error, ms)}`;
}

function describeError(error: string, ms: number): string {
  if (error === 'timeout') return `no answer within ${milliseconds(ms)}`;
  if (error === 'ECONNRESET') return 'accepted, then reset';
  if (error === 'ECONNREFUSED') return 'refused (ECONNREFUSED)';
  return `failed (${error})`;
}
