/** Judges versions, cipher suites, key exchange and renegotiation. */
import { type VersionName, versionNames } from '../probe/versions.ts';
import { type Check, check, fail, type Judgement, notJudged, pass, unknown, warn } from './check.ts';
import type { OfferedSuite, ProtocolFacts } from './protocol-facts.ts';

export function protocolChecks(facts: ProtocolFacts): Check[] {
  const { suites } = facts;
  return [
    check('versions', judgeVersions(facts)),
    check('suites', judgeSuites(facts)),
    check('forward-secrecy', judgeForwardSecrecy(suites)),
    check('aead', judgeAead(suites)),
    check('key-exchange', judgeKeyExchange(facts)),
    check('renegotiation', judgeRenegotiation(facts)),
  ];
}

const old: readonly VersionName[] = ['SSL 3.0', 'TLS 1.0', 'TLS 1.1'];

function judgeVersions({ offered }: ProtocolFacts): Judgement {
  const on = versionNames.filter((name) => offered[name] === true);
  const fact = on.length === 0 ? 'none' : on.join(', ');
  const obsolete = on.filter((name) => old.includes(name));
  if (obsolete.length > 0)
    return fail(
      `${fact}; obsolete: ${obsolete.join(', ')}`,
      `turn ${obsolete.join(' and ')} off (RFC 8996); nginx: ssl_protocols TLSv1.2 TLSv1.3`,
    );
  if (on.length === 0) return notJudged('no version was accepted');
  if (offered['TLS 1.3'] === false)
    return warn(`${fact}; no TLS 1.3`, 'turn TLS 1.3 on: without it the grade is A- at most');
  const untried = versionNames.filter((name) => offered[name] === null);
  if (untried.length > 0)
    return unknown(
      `${fact}; could not be tried here: ${untried.join(', ')}`,
      'install openssl on this machine, or examine the endpoint from another one',
    );
  return pass(fact);
}

function judgeSuites({ suites, incomplete }: ProtocolFacts): Judgement {
  if (suites.length === 0) return noSuite;
  const insecure = suites.filter((suite) => suite.insecure !== null);
  const found = namesOf(suites).join(', ');
  if (insecure.length === 0 && incomplete.length > 0)
    return unknown(`${found}; the list may be incomplete: ${incomplete.join('; ')}`, incompleteAdvice);
  if (insecure.length === 0) return pass(found);
  const named = insecure.map(({ name, insecure: reason }) => `${name} (${reason})`);
  return fail(
    [...new Set(named)].join(', '),
    'remove these cipher suites; nginx: ssl_ciphers HIGH:!aNULL:!MD5:!3DES',
  );
}

const incompleteAdvice =
  'look into the log of the server, or repeat with a longer --timeout (and --max-time, if the time for all connections was over)';

const noSuite = notJudged('the endpoint accepted none of the cipher suites that were offered');

function namesOf(suites: readonly OfferedSuite[]): string[] {
  return [...new Set(suites.map(({ name }) => name))];
}

function judgeForwardSecrecy(suites: readonly OfferedSuite[]): Judgement {
  const hint =
    'offer only suites that begin with ECDHE (or DHE): with the others, who steals the key reads recorded messages';
  return judgeShare(suites, {
    has: ({ forwardSecrecy }) => forwardSecrecy,
    without: 'without forward secrecy',
    hint,
  });
}

function judgeAead(suites: readonly OfferedSuite[]): Judgement {
  const hint = 'offer suites with AES-GCM or CHACHA20-POLY1305 for TLS 1.2, and remove those with CBC';
  return judgeShare(suites, { has: ({ aead }) => aead, without: 'without AEAD', hint });
}

/** Fails if no suite of a version has the property; warns if some suites lack it, since a client chooses among them. */
function judgeShare(
  suites: readonly OfferedSuite[],
  options: {
    readonly has: (suite: OfferedSuite) => boolean;
    readonly without: string;
    readonly hint: string;
  },
): Judgement {
  const { has, without, hint } = options;
  if (suites.length === 0) return noSuite;
  const lacking = suites.filter((suite) => !has(suite));
  if (lacking.length === 0) return pass('every suite');
  const modern = suites.filter(({ version }) => !old.includes(version));
  const versions = [...new Set(modern.map(({ version }) => version))];
  const none = versions.filter((version) => !modern.some((suite) => suite.version === version && has(suite)));
  if (none.length > 0)
    return fail(`every suite of ${none.join(' and ')} is ${without}: ${namesOf(lacking).join(', ')}`, hint);
  return warn(`${without}: ${namesOf(lacking).join(', ')}`, hint);
}

/** In bits of an RSA key of the same strength: 112 bits of security (NIST SP 800-57). */
const minStrength = 2048;

function judgeKeyExchange({ groups, groupsIncomplete }: ProtocolFacts): Judgement {
  if (groups.length === 0) return notJudged('the server named no group');
  const found = groups.map(({ name }) => name).join(', ');
  const weak = groups.filter(({ strength }) => strength < minStrength);
  if (weak.length === 0 && groupsIncomplete.length > 0)
    return unknown(`${found}; the list may be incomplete: ${groupsIncomplete.join('; ')}`, incompleteAdvice);
  if (weak.length === 0) return pass(found);
  return fail(
    `${weak.map(({ name }) => name).join(', ')} is weak`,
    'use X25519 or P-256, or a DH group of at least 2048 bits; nginx: ssl_ecdh_curve X25519:P-256, ssl_dhparam',
  );
}

function judgeRenegotiation(facts: ProtocolFacts): Judgement {
  const { renegotiates, renegotiationUnknown, secureRenegotiation } = facts;
  if (renegotiates === null && renegotiationUnknown === null) return pass('TLS 1.3 has none');
  if (renegotiates === null)
    return unknown(
      `not possible here: ${renegotiationUnknown}`,
      'try openssl s_client -tls1_2 and the command R',
    );
  if (renegotiates && secureRenegotiation === false)
    return fail(
      'the server renegotiates insecurely (CVE-2009-3555)',
      'update the TLS library of the server, and turn renegotiation off',
    );
  if (renegotiates)
    return warn(
      'the server renegotiates when a client asks for it',
      'turn it off: each one costs the server a handshake (SSL_OP_NO_RENEGOTIATION)',
    );
  if (secureRenegotiation === false)
    return warn(
      'refused; secure renegotiation (RFC 5746) is not announced',
      'update the TLS library of the server',
    );
  return pass('refused');
}
