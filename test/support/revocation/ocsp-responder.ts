/** An OCSP responder over real HTTP on loopback, for any number of CAs, with configurable failures. */
import { createServer, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Issued, type IssueOptions, issueCertificate } from '../../../src/issuing/certificate.ts';
import { certIdsIn, errorResponse, isOf, ocspErrors, serialOf } from '../../../src/issuing/ocsp.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { type CertId, noCheckExtension, ocspSigning } from '../../../src/revocation/ocsp/structure.ts';
import { type Listening, listenOnLoopback } from '../process/listening.ts';
import { type AnsweredStatus, type AnswerOptions, ocspAnswer } from './ocsp-answer.ts';

const hour = 3_600_000;

export interface OcspResponderOptions {
  /** The CAs that it answers for, each with its own key. */
  readonly issuers: readonly Issued[];
  /** Milliseconds since the epoch; default the clock. */
  readonly now?: () => number;
}

export interface OcspResponder extends Listening {
  readonly url: string;
  /** Serial in lower hex, as `Certificate.serial` has it → status; serials that are not in it are good. */
  readonly statuses: Map<string, AnsweredStatus>;
  /** Overrides for every response: another signer, other times, other certIDs, … */
  lie: Partial<AnswerOptions & AnswerOptions['singles'][number]>;
  /** If set, answers instead. */
  misbehaviour: RequestListener | null;
  /** Queried serials, in order. */
  readonly asked: string[];
  /** Responses wait until this resolves. */
  gate: Promise<void>;
}

/** Failures that a responder may send instead of a response. */
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
      // A malformed request ends the connection.
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
  const signer = issuers.find((issuer) => ids.every((id) => isOf(id, issuer)));
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

/** A responder's own certificate under a CA; without overrides as RFC 6960 §4.2.2.2 requires. */
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
