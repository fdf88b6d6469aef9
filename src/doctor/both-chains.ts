/** Judges the chain that the server sends, or both: a server may have an RSA and an EC certificate. Each check says both. */
import { otherKeyType } from '../probe/key-type.ts';
import { describeFailure, isCut } from '../probe/outcome.ts';
import { type Check, check, unknown } from './check.ts';
import { cutAdvice } from './failure.ts';
import type { SentChain } from './sent-chain.ts';
import { judgeServerChain, type ServerChainFacts } from './server-chain.ts';
import type { OtherFacts, TlsFacts } from './tls-facts.ts';

type VerifyError = ServerChainFacts['verifyError'];

export interface ChainsFacts extends Omit<ServerChainFacts, 'verifyError'>, Pick<TlsFacts, 'otherSent'> {
  readonly verifyErrors: { readonly first: VerifyError; readonly other: VerifyError };
}

export interface JudgedChains {
  readonly checks: readonly Check[];
  /** Those that can be read; the one that is sent by default comes first. */
  readonly chains: readonly SentChain[];
}

export function judgeChains(facts: ChainsFacts): JudgedChains {
  const { otherSent: other, verifyErrors } = facts;
  const first = judgeServerChain({ ...facts, verifyError: verifyErrors.first });
  const second = other === null ? null : judgeOther(facts, other);
  const chains = [first.chain, second?.chain ?? null].filter((chain) => chain !== null);
  if (other === null || second === null) return { checks: first.checks, chains };
  const labels = [otherKeyType(other.keyType), other.keyType] as const;
  const checks = first.checks.map((one) => {
    const same = second.checks.find(({ id }) => id === one.id);
    return same === undefined ? one : bothIn([one, same], labels);
  });
  return { checks, chains };
}

function judgeOther(
  facts: ChainsFacts,
  { sent, sentWithoutName }: OtherFacts,
): { readonly checks: readonly Check[]; readonly chain: SentChain | null } {
  if (sent.kind !== 'failed')
    return judgeServerChain({ ...facts, sent, sentWithoutName, verifyError: facts.verifyErrors.other });
  const hint = isCut(sent.failure) ? cutAdvice : 'look into the log of the server, or repeat the examination';
  const fact = `whether there is a certificate with such a key is not known: the server ${describeFailure(sent.failure)}`;
  return { checks: [check('chain-readable', unknown(fact, hint))], chain: null };
}

const order: readonly Check['outcome'][] = ['pass', 'unknown', 'warn', 'fail'];

/** The worse outcome counts. `labels`: of the two chains. */
function bothIn([one, other]: readonly [Check, Check], labels: readonly [string, string]): Check {
  if (one.outcome === other.outcome && one.fact === other.fact) return one;
  const worse = order.indexOf(other.outcome) > order.indexOf(one.outcome) ? other : one;
  return { ...worse, fact: `${labels[0]}: ${one.fact}; ${labels[1]}: ${other.fact}` };
}
