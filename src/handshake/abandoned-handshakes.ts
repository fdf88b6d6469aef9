/** Finds the failure reason of a handshake that its client abandoned: it closed the connection, or was too slow. */
import { adviceText } from '../explanation.ts';
import { type Failure, type FailureReasonName, failure, failureReasons } from './failure-reasons.ts';
import { hasAnswered, type Progress, sentOf } from './handshake-progress.ts';

/** Of a connection that was closed or reset without an error of TLS. */
export function explainClose(progress: Progress, isReset = false): Failure {
  const { bytesRead } = progress;
  if (bytesRead === 0) return closed('closed_silent', { isReset });
  const after = `after it had sent ${received(progress)}`;
  const sent = sentOf(progress);
  switch (sent) {
    case 'nothing':
    case 'retry':
      return closed('closed_before_certificate', { isReset, after });
    case 'resumption':
      return closed('closed_before_finished', {
        isReset,
        says: 'the client resumed a TLS session and closed the connection before the handshake was done',
        after: `${after} in all`,
      });
    case 'certificate':
      return hasAnswered(progress) === true
        ? closed('closed_before_finished', {
            isReset,
            says: 'the client answered the gateway’s certificate and closed the connection before the handshake was done',
            after: `${after} in all`,
          })
        : closed('closed_after_certificate', { isReset });
    default:
      return sent satisfies never;
  }
}

interface Closing {
  readonly isReset: boolean;
  /** Default: as in the table. */
  readonly says?: string;
  readonly after?: string;
}

function closed(reason: FailureReasonName, { isReset, says, after }: Closing): Failure {
  const text = says ?? failureReasons[reason].says;
  const what = isReset ? text.replace('closed the connection', 'reset the connection (TCP RST)') : text;
  return failure(reason, after === undefined ? what : `${what}, ${after}`);
}

const resumptionAdvice = adviceText({
  cause: 'the client hangs, or packets are lost',
  client: 'see the client’s own log, and look for packet loss or a firewall on the way',
  gateway: null,
});

/** Of a handshake that exceeded timeouts.handshake. */
export function explainTimeout(progress: Progress): Failure {
  if (progress.bytesRead === 0) return failure('timeout_silent');
  const { says } = failureReasons.timeout_client_hello;
  const count = received(progress);
  const sent = sentOf(progress);
  switch (sent) {
    case 'nothing':
      return failure('timeout_client_hello', `${says}: it sent ${count}`);
    case 'retry':
      return failure(
        'timeout_client_hello',
        `the client did not complete its second ClientHello within timeouts.handshake: it sent ${count}`,
      );
    case 'resumption':
      return failure(
        'handshake_timeout',
        `the client resumed a TLS session and did not finish the handshake within timeouts.handshake: it sent ${count} in all`,
        resumptionAdvice,
      );
    case 'certificate':
      return failure('handshake_timeout', `${unfinished}: ${answerOf(progress)}${count} in all`);
    default:
      return sent satisfies never;
  }
}

const unfinished =
  'the client did not finish the handshake within timeouts.handshake after the gateway sent its certificate';

function answerOf(progress: Progress): string {
  const answered = hasAnswered(progress);
  if (answered === null) return 'it sent ';
  return answered ? 'a part of its answer came, ' : 'it sent nothing more than its ClientHello, ';
}

function received(progress: Progress): string {
  const { bytesRead } = progress;
  const retry = sentOf(progress) === 'retry';
  return `${bytesRead} byte${bytesRead === 1 ? '' : 's'}${retry ? ', and the gateway asked it for a key share of another group' : ''}`;
}
