/**
 * The one table of reasons for which a connection ends before the client is authorized (verdict `failed`), each with what
 * happened, the likely cause, and what to do on which side. The audit detail, the metric label and docs/deny-reasons.md come
 * from it.
 */
import { type Explanation, listAddress, withAdvice } from '../explanation.ts';

export const failureReasons = withAdvice({
  closed_silent: {
    says: 'the client closed the connection before it sent a byte',
    cause: 'a TCP health check of a load balancer, or a port scan',
    client: null,
    gateway:
      'nothing to do, unless a client of yours cannot connect: then look for a firewall or proxy on the way',
  },
  timeout_silent: {
    says: 'the client connected and sent nothing within timeouts.handshake',
    cause:
      'a port scan, a client that opens connections before it needs them, or a middlebox that drops data',
    client: 'open a connection when there is a message to send; look for a firewall on the way',
    gateway: 'nothing to do for an unknown address',
  },
  closed_before_certificate: {
    says: 'the client closed the connection before the gateway sent its certificate',
    cause: 'a short connect timeout in the client, a port scan, or a middlebox',
    client: 'look at the client’s own log; if its timeout for connecting is short, raise it',
    gateway:
      'nothing to do for an unknown address. If clients of yours are affected, look for a late event loop (ehi_relay_loop_delay_seconds) at that time',
  },
  timeout_client_hello: {
    says: 'the client began its first TLS message (ClientHello) and did not complete it within timeouts.handshake',
    cause: 'packets are lost on the way (often the large ones: path MTU), or the client hangs',
    client: 'look for packet loss between client and gateway, and for a firewall that drops large packets',
    gateway: 'see whether large packets arrive: ping -M do -s 1472 CLIENT',
  },
  closed_after_certificate: {
    says: 'the client closed the connection without an alert after the gateway sent its certificate',
    cause:
      'it rejects that certificate (.NET, Node.js and Java’s HttpClient close this way), or has no certificate of its own to send',
    client:
      'trust the root CA of the gateway’s certificate, call a host name of its subjectAltName, and configure a client certificate',
    gateway: 'check subjectAltName, dates and chain file of listen.certificate',
  },
  closed_before_finished: {
    says: 'the client answered the gateway’s certificate, or resumed a TLS session, and closed the connection before the handshake was done',
    cause: 'the client gave up or failed, or a middlebox cut the connection',
    client: 'see the client’s own log; if its timeout for the handshake is short, raise it',
    gateway: null,
  },
  handshake_timeout: {
    says: 'the client did not finish the handshake within timeouts.handshake after the gateway sent its certificate, or resumed its TLS session',
    cause:
      'the client hangs (for example while it waits for a key in an HSM or smart card), or packets are lost',
    client: 'see the client’s own log, and look for packet loss or a firewall on the way',
    gateway: 'if the client needs longer, raise timeouts.handshake',
  },
  closed_awaiting_revocation: {
    says: 'the client closed the connection while the gateway waited for the revocation status of its certificate',
    cause: 'the client’s timeout is shorter than what the revocation source takes',
    client: 'raise the timeout for the first response',
    gateway: 'look for a revocation source that answers slowly, or lower revocation.firstContact',
  },
  reset: {
    says: 'the client closed the connection while its address was checked',
    cause: 'a port scan, or a client that gives up at once',
    client: null,
    gateway: null,
  },
  plain_http: {
    says: 'the client sent an HTTP request without TLS',
    cause: 'the client is configured with http:// instead of https://, or a load balancer already ends TLS',
    client: 'call https://',
    gateway:
      'if the address is your load balancer, let it pass TLS through. Otherwise nothing to do; the gateway answered with 400, except under listen.rejectWith: close',
  },
  plain_http2: {
    says: 'the client sent an HTTP/2 preface without TLS',
    cause: 'a gRPC or HTTP/2 client with prior knowledge and without TLS (h2c)',
    client: 'use TLS and HTTP/1.1: the gateway supports neither HTTP/2 nor plain text',
    gateway: null,
  },
  unexpected_proxy_header: {
    says: 'the connection began with a PROXY header, and the network of this address is not in listen.proxyProtocol.trusted',
    cause: 'a load balancer sends PROXY headers and the gateway is not configured for it',
    client: null,
    gateway:
      'if the address is your load balancer, add it to listen.proxyProtocol.trusted, or switch PROXY headers off there. If it is not, do not add it: the header may name a forged source address',
  },
  proxy_header: {
    says: 'a connection from a network in listen.proxyProtocol.trusted did not begin with a valid PROXY header, or the header did not arrive in time',
    cause: 'the load balancer sends no PROXY header, or another client calls from its network',
    client: null,
    gateway:
      'if the address is your load balancer, switch PROXY headers on there. If another host calls from that network, narrow listen.proxyProtocol.trusted to the addresses of the load balancer, and keep these',
  },
  other_protocol: {
    says: 'the first bytes are those of another protocol',
    cause: 'a port scan, or a client that is configured with the wrong port',
    client: 'check the address and port it calls; the gateway expects HTTPS',
    gateway: null,
  },
  not_tls: {
    says: 'the first bytes from the client are not TLS',
    cause: 'a port scan, or a client of another protocol',
    client: 'check that it uses TLS, and the address and port it calls',
    gateway: 'nothing to do for an unknown address',
  },
  sslv2_hello: {
    says: 'the client began with a ClientHello in the format of SSL 2.0',
    cause: 'a very old TLS library (Java 6, OpenSSL 0.9.8), or a vulnerability scan',
    client: 'update the TLS library, or switch off SSLv2Hello',
    gateway: null,
  },
  malformed_client_hello: {
    says: 'the first TLS message of the client (ClientHello) cannot be read',
    cause: 'a vulnerability scan, a middlebox that rewrites TLS, or a defective TLS library',
    client: 'connect without the middlebox (TLS inspection), and update the TLS library',
    gateway: 'nothing to do for an unknown address',
  },
  protocol_version: {
    says: 'the client offers neither TLS 1.2 nor TLS 1.3',
    cause: 'an old TLS library, or an old version that is set in its configuration',
    client: 'update it, or enable TLS 1.2 or 1.3 in it',
    gateway: 'nothing to do; older versions are not supported',
  },
  no_shared_cipher: {
    says: 'client and gateway have no cipher suite in common that fits listen.certificate; the gateway supports ECDHE with AES-GCM or ChaCha20 (RFC 9325 §4.2)',
    cause:
      'old or restricted cipher suites; on TLS 1.2 it may be that only a group or a signature algorithm does not fit listen.certificate',
    client: 'enable TLS_AES_128_GCM_SHA256 for TLS 1.3, and ECDHE suites with AES-GCM for TLS 1.2',
    gateway: 'a client of TLS 1.2 that accepts only RSA certificates needs an RSA one in listen.certificate',
  },
  no_shared_group: {
    says: 'the client offers no key exchange group that the gateway supports',
    cause: 'groups (curves) are restricted in the client’s configuration',
    client: 'enable X25519, P-256 or P-384',
    gateway: null,
  },
  no_shared_signature: {
    says: 'the client accepts no signature that the key of listen.certificate can make',
    cause:
      'the client’s signature algorithms or cipher suites are restricted to RSA keys while the gateway has an EC key, or the reverse, or to SHA-1',
    client:
      'enable ecdsa_secp256r1_sha256 and ECDHE-ECDSA suites if the gateway has an EC key on P-256, or rsa_pss_rsae_sha256 and ECDHE-RSA suites if it has an RSA key',
    gateway:
      'or configure two certificates in listen.certificate, one with an EC key and one with an RSA key',
  },
  no_shared_alpn: {
    says: 'the client offers by ALPN neither http/1.1 nor http/1.0',
    cause: 'an HTTP/2 client (h2, gRPC)',
    client: 'offer http/1.1 as well',
    gateway: 'nothing to do; HTTP/2 is not supported',
  },
  server_certificate_refused: {
    says: 'the client rejected the gateway’s certificate with a TLS alert',
    cause: 'the record’s detail names the alert',
    client: 'trust the root CA of the gateway’s certificate, and call a host name of its subjectAltName',
    gateway: 'check subjectAltName, dates and chain file of listen.certificate',
  },
  client_alert: {
    says: 'the client ended the connection with a TLS alert that is not about the gateway’s certificate',
    cause: null,
    client: 'see the client’s own log for the cause',
    gateway: null,
  },
  malformed_certificate: {
    says: 'a certificate that the client sent cannot be read',
    cause: 'a damaged file, or one that the client’s software sent on without converting it',
    client:
      'export the certificate and its CAs again in the format that its software expects (mostly PEM), and check each with openssl x509 -in FILE -noout',
    gateway: null,
  },
  signature_not_supported: {
    says: 'the client signed the handshake with an algorithm or a kind of key that the gateway does not accept',
    cause: 'certificate and private key are of different kinds, or the key is on an unusual curve',
    client:
      'use a key that is RSA, EC on P-256, P-384 or P-521, Ed25519 or Ed448, and of the same kind as the key in its certificate',
    gateway: null,
  },
  key_not_proven: {
    says: 'the client sent a certificate but did not prove that it holds the private key: the signature in CertificateVerify is wrong (RFC 8446 §4.4.3)',
    cause: 'the client’s certificate file and key file do not belong together',
    client: 'configure the private key of this certificate',
    gateway:
      'if the client’s files are right, somebody else may be using its certificate: look at the source address',
  },
  message_too_large: {
    says: 'a TLS record, or the list of the client’s certificates, is longer than TLS or OpenSSL allows',
    cause: 'the client sends a whole trust store as its chain, or bytes were altered on the way',
    client: 'send its own certificate and the CAs above it, and nothing else',
    gateway: null,
  },
  handshake_too_large: {
    says: 'the client sent more than limits.handshakeBytes during the handshake (from a range of clients.allowlist other than /0: more than four times as much), or from another address more than 64 records',
    cause: 'a long certificate chain, or an attack',
    client: 'send only its own certificate and the CAs above it',
    gateway: `for a legitimate client raise limits.handshakeBytes, or ${listAddress} (64 records: only that)`,
  },
  certificates_refused: {
    says: 'from an address that clients.allowlist does not list (a range of /0 lists none) came more than four certificates, over 8 KiB after the first, an RSA key over 8192 bits or exponent over 32 bits, an EC curve other than P-256, P-384 and P-521, a key other than RSA, EC, Ed25519 and Ed448, or an unreadable or compressed certificate',
    cause: null,
    client: 'send its own certificate and one or two CAs',
    gateway: `if the client is yours, ${listAddress}. If not, nothing to do: it was refused`,
  },
  unexpected_message: {
    says: 'the client sent a TLS message or record that is not allowed at this point',
    cause: 'a vulnerability scan, a middlebox that mixes up connections, or a defective TLS library',
    client: 'connect without the middlebox, and update the TLS library',
    gateway: 'nothing to do for an unknown address',
  },
  record_damaged: {
    says: 'data from the client (a TLS record) cannot be decrypted',
    cause: 'a middlebox or a defective network card altered bytes, or the client encrypts wrongly',
    client: 'connect without the middlebox, and update the TLS library',
    gateway: 'if several clients are affected, look at the network in front of the gateway',
  },
  handshake_altered: {
    says: 'what the client received is not what the gateway sent, or the reverse: the check value in the client’s Finished is wrong',
    cause:
      'TLS inspection (a firewall or proxy that opens TLS), or a defective TLS library; rarely an attack. No data were exchanged',
    client: 'connect without the middlebox (TLS inspection)',
    gateway: 'if several clients are affected, look for such a middlebox in front of the gateway',
  },
  protocol_error: {
    says: 'TLS failed for a reason that is not listed here: openssl_code names the error',
    cause: 'a vulnerability scan, a middlebox, or a defective TLS library',
    client: 'update the TLS library, and connect without a middlebox',
    gateway: null,
  },
  shutdown: {
    says: 'the gateway stopped before the handshake was done',
    cause: 'a restart or a new version',
    client: 'connect again, to another replica',
    gateway: null,
  },
} as const satisfies Record<string, Explanation>);

export type FailureReasonName = keyof typeof failureReasons;

/** Why a connection failed, as its audit record says it. */
export interface Failure {
  readonly reason: FailureReasonName;
  readonly detail: string;
}

/** The detail is what happened, by default in the table's words, followed by what to do about it. */
export function failure(
  reason: FailureReasonName,
  what: string = failureReasons[reason].says,
  advice: string = failureReasons[reason].advice,
): Failure {
  return { reason, detail: `${what}. ${advice}`.trimEnd() };
}
