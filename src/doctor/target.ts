/** The endpoint that is examined: what its URL says. */
import { isIP } from 'node:net';
import { UsageError } from '../errors.ts';

export interface Target {
  /** Without credentials and fragment. */
  readonly url: string;
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query of the messages. */
  readonly path: string;
  /** Of the Host field. */
  readonly authority: string;
  /** Sent as SNI; null: the host is an address, which is no server name (RFC 6066 §3). */
  readonly servername: string | null;
  /** The name or address that the certificate must be valid for. */
  readonly expectedName: string;
}

/** `servername`: the public name, where the URL leads to another address of the endpoint. Throws UsageError. */
export function readTarget(text: string, servername?: string): Target {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url === null || url.protocol !== 'https:' || url.hostname === '')
    throw new UsageError(`found ${quoted(text)}; allowed a URL such as https://ehi.example.com/path`);
  if (url.username !== '' || url.password !== '')
    throw new UsageError('found a user name or password in the URL; allowed a URL without them');
  if (servername !== undefined && !isServerName(servername))
    throw new UsageError(`--servername: found ${quoted(servername)}; allowed a DNS name`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const name = servername ?? host;
  return {
    url: `${url.origin}${url.pathname}${url.search}`,
    host,
    port: url.port === '' ? 443 : Number(url.port),
    path: url.pathname + url.search,
    authority: servername === undefined ? url.host : `${servername}${url.port === '' ? '' : `:${url.port}`}`,
    servername: isIP(name) === 0 ? name : null,
    expectedName: name,
  };
}

function isServerName(text: string): boolean {
  return isIP(text) === 0 && /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(text) && text.length <= 253;
}

/** A part of the input for a message, without a password that a mistyped URL may contain. */
function quoted(text: string): string {
  return JSON.stringify(text.replace(/\/\/[^/]*@/, '//…@').slice(0, 80));
}
