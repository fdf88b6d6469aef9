/** An OCSP responder over HTTP on loopback, for any number of CAs, that can be set to misbehave. */
import { createServer, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Issued, type IssueOptions, issueCertificate } from '../../../src/issuing/certificate.ts';
import { certIdsIn, errorResponse, isAbout, ocspErrors, serialOf } from '../../../src/issuing/ocsp.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { type CertId, noCheckExtension, ocspSigning } from '../../../src/revocation/ocsp/structure.ts';
import { type Listening, listenOnLoopback } from '../process/listening.ts';
import { type AnsweredStatus, type AnswerOptions, ocspAnswer } from './ocsp-answer.ts';

const hour = 3_600_000;

export interface OcspResponderOptions {
  /** The CAs that it serves; each signs with its own key. */
  readonly issuers: readonly Issued[];
  /** Milliseconds since the epoch; default Date.now. */
  readonly now?: () => number;
}

export interface OcspResponder extends Listening {
  readonly url: string;
  /** Serial in lower hex, as in `Certificate.serial` → status; others are good. */
  readonly statuses: Map<string, AnsweredStatus>;
  /** Overrides in every response: signer, times, certIDs, … */
  lie: Partial<AnswerOptions & AnswerOptions['singles'][number]>;
  /** If set, handles requests instead. */
  misbehaviour: RequestListener | null;
  /** Serials of all requests, in order. */
  readonly asked: string[];
  /** Responses wait until this resolves. */
  gate: Promise<void>;
}

/** What a responder may do instead of a valid response. */
export const ocspMisbehaviours = {
  down: (request) => request.socket.destroy(),
  hang: () => {},
  tryLater: (_request, response) => response.end(errorResponse(ocspErrors.tryLater)),
  unauthorized: (_request, response) => response.end(errorResponse(ocspErrors.unauthorized)),
  garbage: (_request, response) => response.end('0\x82 this is no answer'),
  html: (_request, response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>'),
  oversized: (_request, response) => response.end(Buffer.alloc(64 * 1024 + 1)),
  elsewhere: (_request, response) => response.writeHead(307, { location: 'http://localhost:1/' }).end(),
} satisfies Record<string, RequestListener>;

export async function openOcspResponder(options: OcspResponderOptions): Promise<OcspResponder> {
  const state: Pick<OcspResponder, 'statuses' | 'lie' | 'misbehaviour' | 'asked' | 'gate'> = {
    statuses: new Map(),
    lie: {},
    misbehaviour: null,
    asked: [],
    gate: Promise.resolve(),
  };
  const server = createServer((request, response) => {
    buffer(request)
      .then(async (body) => {
        const ids = certIdsIn(body);
        state.asked.push(...ids.map(serialOf));
        await state.gate;
        if (state.misbehaviour !== null) return state.misbehaviour(request, response);
        response.setHeader('content-type', 'application/ocsp-response').end(answer(ids, state, options));
      })
      // An invalid request closes the connection.
      .catch(() => response.destroy());
  });
  const listening = await listenOnLoopback(server);
  return Object.assign(state, listening, { url: `http://127.0.0.1:${listening.port}/` });
}

function answer(
  ids: readonly CertId[],
  { statuses, lie }: Pick<OcspResponder, 'statuses' | 'lie'>,
  { issuers, now = Date.now }: OcspResponderOptions,
): Buffer {
  const signer = issuers.find((issuer) => ids.every((id) => isAbout(id, issuer)));
  if (signer === undefined) return errorResponse(ocspErrors.unauthorized);
  const at = now();
  return ocspAnswer({
    singles: ids.map((id) => ({
      certId: id,
      status: statuses.get(serialOf(id)) ?? 'good',
      thisUpdate: at,
      nextUpdate: at + hour,
      ...lie,
    })),
    producedAt: at,
    signer,
    ...lie,
  });
}

/** The certificate of a delegated responder; by default as RFC 6960 §4.2.2.2 requires. */
export function delegate(issuer: Issued, overrides: Partial<IssueOptions> = {}): Issued {
  const { notBefore, notAfter } = parseCertificate(issuer.der);
  return issueCertificate({
    subject: { CN: 'Example OCSP responder' },
    issuer,
    notBefore,
    notAfter,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [ocspSigning],
    extensions: [{ oid: noCheckExtension, value: Buffer.of(5, 0) }],
    ...overrides,
  });
}
