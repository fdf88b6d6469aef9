/** The messages of a server's flight in their order, and what each adds to it (RFC 5246 §7.3, RFC 8446 §2). */
import { alertName } from '../handshake/tls-alerts.ts';
import type { FlightFailure } from './outcome.ts';
import type { ServerFlight } from './server-flight.ts';
import { readEncryptedAlpn } from './server-hello.ts';
import * as messages from './server-messages.ts';
import type { VersionName } from './versions.ts';

export const messageTypes = {
  helloRequest: 0,
  serverHello: 2,
  encryptedExtensions: 8,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  finished: 20,
  certificateStatus: 22,
} as const;

const order12 = [
  messageTypes.serverHello,
  messageTypes.certificate,
  messageTypes.certificateStatus,
  messageTypes.serverKeyExchange,
  messageTypes.certificateRequest,
  messageTypes.serverHelloDone,
];
const order13 = [
  messageTypes.serverHello,
  messageTypes.encryptedExtensions,
  messageTypes.certificateRequest,
  messageTypes.certificate,
  messageTypes.certificateVerify,
  messageTypes.finished,
];

export function messageName(type: number): string {
  const found = Object.entries(messageTypes).find(([, code]) => code === type);
  return found === undefined
    ? `message of type ${type}`
    : found[0].replace(/^./, (first) => first.toUpperCase());
}

/** Whether `type` may follow `last` (-1: nothing came yet). */
export function mayFollow(type: number, last: number, version: VersionName): boolean {
  const order: readonly number[] = version === 'TLS 1.3' ? order13 : order12;
  return last < 0 ? type === messageTypes.serverHello : order.indexOf(type) > order.indexOf(last);
}

export function endsFlight(type: number, version: VersionName): boolean {
  return type === (version === 'TLS 1.3' ? messageTypes.finished : messageTypes.serverHelloDone);
}

/** The flight with one more message after ServerHello. Throws WireError. */
export function addMessage(flight: ServerFlight, type: number, body: Buffer): ServerFlight {
  const { version, suite, keyExchange } = flight;
  switch (type) {
    case messageTypes.encryptedExtensions:
      return { ...flight, alpn: readEncryptedAlpn(body) };
    case messageTypes.certificate:
      return { ...flight, certificates: messages.readCertificates(body, version) };
    case messageTypes.serverKeyExchange:
      return { ...flight, keyExchange: messages.readServerKeyExchange(body, { suite, version }) };
    case messageTypes.certificateRequest:
      return { ...flight, certificateRequest: messages.readCertificateRequest(body, version) };
    case messageTypes.certificateVerify: {
      const signatureScheme = messages.readCertificateVerify(body);
      return keyExchange === null ? flight : { ...flight, keyExchange: { ...keyExchange, signatureScheme } };
    }
    // An OCSP response is not asked for and not read; Finished is not checked; ServerHelloDone is empty.
    default:
      return flight;
  }
}

/** What a complete flight lacks, as a message; null: nothing. */
export function missingMessage({ version, suite, certificates, keyExchange }: ServerFlight): string | null {
  if (certificates.length === 0 && !suite.keyExchange.endsWith('_anon')) return 'certificates';
  if (version === 'TLS 1.3')
    return keyExchange === null || keyExchange.signatureScheme === null ? 'CertificateVerify' : null;
  return suite.forwardSecrecy && keyExchange === null ? 'ServerKeyExchange' : null;
}

/** `fragment`: of an alert record, or the content of a protected one. */
export function readAlert(fragment: Buffer): FlightFailure {
  const [level = 0, code = 0] = fragment;
  if (fragment.length !== 2 || level < 1 || level > 2)
    return { kind: 'malformed', detail: 'an alert that is not valid' };
  return { kind: 'alert', level: level === 1 ? 'warning' : 'fatal', code, name: alertName(code) };
}
