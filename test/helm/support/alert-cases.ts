/** For each alert of the chart: series for which it fires, its description then, and series for which it does not fire. */

/** A series without the labels that all series have → its values, one for each minute, in promtool's notation. */
export type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  readonly fires: Series;
  /** Its labels except severity and namespace. */
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  readonly silent: readonly Series[];
  /** Time between two values, and when the alert is evaluated; default: a minute, and after half an hour. */
  readonly time?: { readonly interval: string; readonly at: string };
  /** Other series for which it fires, with these labels. */
  readonly also?: readonly {
    readonly series: Series;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** It fires if series are absent: those of another release do not prevent that. */
  readonly absence?: true;
}

const day = 86_400;
const server = 'role="server",name="CN=ehi"';
const notAfter = (days: number, labels = server): Series => ({
  [`ehi_certificate_not_after_timestamp_seconds{${labels}}`]: `${days * day}x60`,
});
const perMinute = (count: number): string => `0+${count}x60`;
/** For an interval of ten minutes: three days. */
const perTenMinutes = (count: number): string => `0+${count}x432`;
const expires = (days: number) =>
  `The server certificate CN=ehi expires in ${days - 1}d 23h 30m 0s. It must be renewed before.`;
const shed = 'ehi_messages_shed_total{route="/",reason="route_in_flight"}';
const unaudited = 'ehi_messages_shed_total{route="none",reason="audit_unavailable"}';
const undecided = (policy: string, what: string, mode = 'enforce') =>
  `ehi_${policy}_verdicts_total{route="/",verdict="${what}_undecided",mode="${mode}"}`;
const message = (code: number) => `ehi_messages_total{route="/",code="${code}"}`;
const handshakes = (verdict: string, reason: string) =>
  `ehi_handshakes_total{verdict="${verdict}",reason="${reason}"}`;
const source = 'anchor="a",kind="crl",address="https://pki.example.com/crl"';

export const alertCases: Readonly<Record<string, AlertCase>> = {
  EhiCertificateExpiresIn60Days: {
    fires: notAfter(59),
    labels: { role: 'server', name: 'CN=ehi' },
    description: expires(59),
    silent: [notAfter(61), notAfter(29)],
  },
  EhiCertificateExpiresIn30Days: {
    fires: notAfter(29),
    labels: { role: 'server', name: 'CN=ehi' },
    description: expires(29),
    silent: [notAfter(31), notAfter(6)],
  },
  EhiCertificateExpiresIn7Days: {
    // The pod that does not yet use the new certificate counts.
    fires: { ...notAfter(6), ...notAfter(90, `${server},pod="b"`) },
    labels: { role: 'server', name: 'CN=ehi' },
    description: expires(6),
    silent: [notAfter(8), notAfter(61, 'role="client",name="CN=caller"')],
  },
  EhiHandshakesRefused: {
    fires: { [handshakes('deny', 'untrusted')]: perMinute(1) },
    labels: { reason: 'untrusted' },
    description:
      '15 connections were denied in 15 minutes with the reason untrusted. docs/deny-reasons.md explains the reason; the audit records name the clients.',
    silent: [
      {
        [handshakes('deny', 'address_refused')]: perMinute(100),
        [handshakes('deny', 'no_certificate')]: perMinute(100),
      },
      { [handshakes('deny', 'untrusted')]: '3x60' },
    ],
  },
  EhiEveryCallerRefused: {
    fires: { [handshakes('deny', 'revoked')]: perMinute(2), [handshakes('allow', 'none')]: '500x60' },
    labels: {},
    description:
      'Clients with certificates were denied and none was allowed for five minutes. The field reason of the audit records says why.',
    silent: [
      { [handshakes('deny', 'revoked')]: perMinute(2), [handshakes('allow', 'none')]: perMinute(1) },
      { [handshakes('allow', 'none')]: '500x60' },
    ],
  },
  EhiEveryHandshakeFails: {
    fires: {
      [handshakes('failed', 'server_certificate_refused')]: perMinute(1),
      [handshakes('failed', 'closed_after_certificate')]: perMinute(1),
      [handshakes('allow', 'none')]: '500x60',
      [message(200)]: '500x60',
    },
    labels: {},
    description:
      '20 handshakes failed in ten minutes, none succeeded, and no message arrived. The audit records have the reason, and say in detail what to do. server_certificate_refused means that the clients do not accept the gateway’s certificate.',
    silent: [
      { [handshakes('failed', 'client_alert')]: perMinute(9), [handshakes('allow', 'none')]: perMinute(1) },
      { [handshakes('failed', 'client_alert')]: perMinute(9), [message(200)]: perMinute(1) },
      {
        [handshakes('failed', 'closed_silent')]: perMinute(60),
        [handshakes('failed', 'not_tls')]: perMinute(60),
        [handshakes('failed', 'plain_http')]: perMinute(60),
      },
      { [handshakes('failed', 'protocol_error')]: '3x60' },
    ],
  },
  EhiNoHandshakeSucceeds: {
    fires: {
      [handshakes('allow', 'none')]: '0+10x10 100x50',
      [handshakes('deny', 'expired')]: perMinute(1),
      [handshakes('deny', 'untrusted')]: '0x5 9x55',
      // More, but from a health check.
      [handshakes('failed', 'closed_silent')]: perMinute(6),
    },
    labels: { reason: 'expired' },
    description:
      'No handshake succeeded and no message arrived for 15 minutes, although clients connected during the last day. Most connections now stop with the reason expired: docs/deny-reasons.md says at which stage, and what to do.',
    silent: [
      { [handshakes('allow', 'none')]: '0+10x60' },
      // Clients keep their connections open.
      { [handshakes('allow', 'none')]: '0+10x10 100x50', [message(200)]: perMinute(1) },
      // Never that many.
      { [handshakes('allow', 'none')]: '0+1x10 10x50', [handshakes('deny', 'expired')]: perMinute(3) },
    ],
    also: [
      { series: { [handshakes('allow', 'none')]: '0+10x10 100x50' }, labels: { reason: 'no_connection' } },
      {
        series: {
          [handshakes('allow', 'none')]: '0+10x10 100x50',
          [handshakes('deny', 'address_refused')]: perMinute(1),
        },
        labels: { reason: 'address_refused' },
      },
      // The pod that had the connections is gone.
      { series: { [handshakes('allow', 'none')]: '0+10x10 _x50' }, labels: { reason: 'no_connection' } },
    ],
  },
  EhiNoMessages: {
    // The pod that had carried them is gone, and the new one has no series yet.
    fires: { [message(200)]: '0+200x10 _x50' },
    labels: {},
    description:
      '2.1k messages arrived within a day, and none in the last 15 minutes. ehi_handshakes_total shows whether clients still connect, and why they fail.',
    silent: [
      { [message(200)]: '0+200x60' },
      { [message(200)]: '0+200x10 2000x15 2001x35' },
      // Never that many.
      { [message(200)]: '0+20x10 200x50' },
    ],
  },
  EhiGatewayDown: {
    fires: { ehi_connections: '1x20 _x40' },
    labels: {},
    description:
      'Prometheus has no metrics of the gateway. Check whether it runs, then whether Prometheus reaches its admin port.',
    silent: [{ ehi_connections: '0x60' }],
    absence: true,
  },
  EhiUpstreamErrors: {
    fires: { [message(200)]: perMinute(96), [message(502)]: perMinute(3), [message(504)]: perMinute(1) },
    labels: { route: '/' },
    description:
      '4% of the messages of the route / get 502, 503 or 504. The field reason of the message records says why.',
    silent: [
      { [message(200)]: perMinute(1000), [message(502)]: perMinute(9) },
      { [message(500)]: perMinute(9), [message(403)]: perMinute(9) },
      { [message(200)]: perMinute(90), [message(503)]: perMinute(10), [shed]: perMinute(10) },
      ...[undecided('bearer', 'token'), undecided('signature', 'signature')].map((each) => {
        return { [message(200)]: perMinute(90), [message(503)]: perMinute(10), [each]: perMinute(10) };
      }),
      { 'ehi_messages_total{route="none",code="503"}': perMinute(60), [unaudited]: perMinute(60) },
    ],
  },
  EhiUpstreamEndpointOut: {
    fires: { 'ehi_upstream_up{endpoint="https://host"}': '1 0.5x60' },
    labels: { endpoint: 'https://host' },
    description:
      'https://host failed repeatedly. Messages go to the other endpoints of its route until it works again.',
    silent: [{ 'ehi_upstream_up{endpoint="https://host"}': '1x60' }],
  },
  EhiMessagesShed: {
    fires: { [shed]: perMinute(60) },
    labels: { route: '/', reason: 'route_in_flight' },
    description:
      '1 messages a second of the route / get 503 with the reason route_in_flight. docs/message-reasons.md explains it.',
    silent: [
      { [shed]: '7x60' },
      { [message(503)]: perMinute(9) },
      // EhiAuditRefusesMessages covers these: they are not caused by load.
      { [unaudited]: perMinute(60) },
    ],
  },
  EhiMessagesUndecided: {
    fires: { [undecided('bearer', 'token')]: perMinute(60) },
    labels: { route: '/', verdict: 'token_undecided' },
    description:
      '1 messages a second of the route / get 503 with the reason token_undecided: an introspection endpoint does not answer, or a key set was never read. The log says why.',
    silent: [
      { [undecided('bearer', 'token')]: '7x60' },
      { [undecided('bearer', 'token', 'shadow')]: perMinute(60) },
      { 'ehi_bearer_verdicts_total{route="/",verdict="token_expired",mode="enforce"}': perMinute(60) },
    ],
    also: [
      {
        series: { [undecided('signature', 'signature')]: perMinute(60) },
        labels: { route: '/', verdict: 'signature_undecided' },
      },
    ],
  },
  EhiMessagesLate: {
    fires: {
      'ehi_messages_late_total{route="/"}': perMinute(2),
      'ehi_message_budget_ratio_count{route="/"}': perMinute(1000),
    },
    labels: { route: '/' },
    description:
      '0.2% of the messages of the route / get no response within the route’s budget. ehi_upstream_seconds and ehi_overhead_seconds show whether the host or the gateway needs the time.',
    silent: [
      {
        'ehi_messages_late_total{route="/"}': perMinute(1),
        'ehi_message_budget_ratio_count{route="/"}': perMinute(1001),
      },
      { 'ehi_messages_late_total{route="/"}': '0x60', 'ehi_message_budget_ratio_count{route="/"}': '0x60' },
    ],
  },
  EhiBudgetBurnsFast: {
    time: { interval: '1m', at: '60m' },
    fires: {
      'ehi_messages_late_total{route="/"}': perMinute(20),
      'ehi_message_budget_ratio_count{route="/"}': perMinute(1000),
    },
    labels: {},
    description:
      '2% of the messages are late. If this continues, the objective of 99.9 % in time is missed for the whole month. ehi_upstream_seconds and ehi_overhead_seconds show whether the host or the gateway needs the time.',
    silent: [
      {
        'ehi_messages_late_total{route="/"}': perMinute(5),
        'ehi_message_budget_ratio_count{route="/"}': perMinute(1000),
      },
      // The cause has ended: the long windows are above their rates, the short ones are not.
      {
        'ehi_messages_late_total{route="/"}': '0+60x20 1200x40',
        'ehi_message_budget_ratio_count{route="/"}': perMinute(1000),
      },
      // It has just begun: the short window of five minutes is above its rate, the long one is not.
      {
        'ehi_messages_late_total{route="/"}': '0x54 20+20x6',
        'ehi_message_budget_ratio_count{route="/"}': perMinute(1000),
      },
      { 'ehi_messages_late_total{route="/"}': '0x60', 'ehi_message_budget_ratio_count{route="/"}': '0x60' },
    ],
    also: [
      // Between 6 and 14.4 times the rate.
      {
        series: {
          'ehi_messages_late_total{route="/"}': perMinute(8),
          'ehi_message_budget_ratio_count{route="/"}': perMinute(1000),
        },
        labels: {},
      },
    ],
  },
  EhiBudgetBurnsSlowly: {
    time: { interval: '10m', at: '72h' },
    fires: {
      'ehi_messages_late_total{route="/"}': perTenMinutes(2),
      'ehi_message_budget_ratio_count{route="/"}': perTenMinutes(1000),
    },
    labels: {},
    description:
      '0.2% of the messages of the last three days were late. ehi_upstream_seconds and ehi_overhead_seconds show whether the host or the gateway needs the time.',
    silent: [
      // The cause has ended.
      {
        'ehi_messages_late_total{route="/"}': '0+100x10 1000x422',
        'ehi_message_budget_ratio_count{route="/"}': perTenMinutes(1000),
      },
      // It has begun within the last six hours.
      {
        'ehi_messages_late_total{route="/"}': '0x395 4+4x36',
        'ehi_message_budget_ratio_count{route="/"}': perTenMinutes(1000),
      },
    ],
  },
  EhiBudgetNearlyUsed: {
    fires: {
      'ehi_message_budget_ratio_bucket{route="/",le="0.5"}': perMinute(90),
      'ehi_message_budget_ratio_bucket{route="/",le="1"}': perMinute(100),
      'ehi_message_budget_ratio_bucket{route="/",le="+Inf"}': perMinute(100),
    },
    labels: { route: '/' },
    description: 'One in a hundred messages of the route / takes 95% of its budget or more.',
    silent: [
      {
        'ehi_message_budget_ratio_bucket{route="/",le="0.5"}': perMinute(100),
        'ehi_message_budget_ratio_bucket{route="/",le="1"}': perMinute(100),
        'ehi_message_budget_ratio_bucket{route="/",le="+Inf"}': perMinute(100),
      },
    ],
  },
  EhiReloadFailed: {
    fires: { ehi_config_last_reload_successful: '1 0x60' },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a continues with the configuration before the change. Its log names every problem, with line and column.',
    silent: [{ ehi_config_last_reload_successful: '1x60' }],
  },
  EhiTrustStale: {
    fires: { 'ehi_trust_age_seconds{anchor="thredd.new"}': `${day + 3600}x60` },
    labels: { anchor: 'thredd.new' },
    description:
      'The anchor thredd.new was last fetched 1d 1h 0m 0s ago. Its last valid certificates stay in use. The log says why fetching fails.',
    silent: [
      { 'ehi_trust_age_seconds{anchor="thredd.new"}': '21600x60' },
      // Of files: nothing fetches it.
      { 'ehi_trust_age_seconds{anchor="thredd-new"}': `${90 * day}x60` },
    ],
  },
  EhiKeySetStale: {
    fires: { 'ehi_key_set_age_seconds{source="https://as.example/jwks"}': `${day + 3600}x60` },
    labels: { source: 'https://as.example/jwks' },
    description:
      'The key set https://as.example/jwks was not fetched for a day, or never. Its last valid keys stay in use. The log says why fetching fails.',
    silent: [
      { 'ehi_key_set_age_seconds{source="https://as.example/jwks"}': '3600x60' },
      // Of a file: nothing fetches it.
      { 'ehi_key_set_age_seconds{source="/etc/keys.json"}': `${90 * day}x60` },
      // A failure after a success: the age decides.
      {
        'ehi_key_set_fetch_failures_total{source="https://as.example/jwks"}': '5x60',
        'ehi_key_set_age_seconds{source="https://as.example/jwks"}': '3600x60',
      },
    ],
    also: [
      {
        series: { 'ehi_key_set_fetch_failures_total{source="https://b.example/jwks"}': '3x60' },
        labels: { source: 'https://b.example/jwks' },
      },
    ],
  },
  EhiKeySetUnusable: {
    fires: { 'ehi_key_set_usable_keys{source="https://as.example/jwks"}': '0x60' },
    labels: { source: 'https://as.example/jwks' },
    description:
      'The key set https://as.example/jwks was read, but has no key that can be used. Every token, signature or client that needs it is refused. The log and the status page say what it lacks (no_usable_key).',
    silent: [{ 'ehi_key_set_usable_keys{source="https://as.example/jwks"}': '1x60' }],
  },
  EhiTrustCertificatePassedOver: {
    fires: { 'ehi_trust_certificates_passed_over{anchor="a",reason="expired"}': '1x60' },
    labels: { anchor: 'a', reason: 'expired' },
    description:
      'The anchor a has 1 certificates that are not used (expired). Clients with certificates from these CAs are denied. The log names them (passed_over): remove or renew them.',
    silent: [
      { 'ehi_trust_certificates_passed_over{anchor="a",reason="expired"}': '0x60' },
      // It serves from its date on by itself.
      { 'ehi_trust_certificates_passed_over{anchor="a",reason="not_yet_valid"}': '1x60' },
    ],
  },
  EhiRevocationEnded: {
    fires: { [`ehi_revocation_next_update_timestamp_seconds{${source},subject=""}`]: '600x60' },
    labels: { anchor: 'a', kind: 'crl', address: 'https://pki.example.com/crl' },
    description:
      'No newer crl could be fetched from https://pki.example.com/crl. The old one is used for revocation.grace. After that the status of its certificates is unknown, and their clients are denied unless onUnknown is allow.',
    silent: [{ [`ehi_revocation_next_update_timestamp_seconds{${source},subject=""}`]: '3600x60' }],
  },
  EhiCrlRestarted: {
    fires: { 'ehi_revocation_crl_restarts_total{anchor="a"}': '0x10 1x50' },
    labels: { anchor: 'a' },
    description:
      'The number or scope of a new CRL of the anchor a does not follow the CRL before it, whose grace had ended. Ask the CA whether it was restored or rebuilt. The log (crl_restarted) names the address.',
    silent: [{ 'ehi_revocation_crl_restarts_total{anchor="a"}': '1x60' }],
  },
  EhiRevocationFetchFails: {
    fires: { [`ehi_revocation_failures{${source},subject=""}`]: '0+1x60' },
    labels: { anchor: 'a', kind: 'crl', address: 'https://pki.example.com/crl' },
    description:
      '30 attempts in a row to fetch the crl from https://pki.example.com/crl failed. The log says why.',
    silent: [
      { [`ehi_revocation_failures{${source},subject=""}`]: '2x60' },
      { [`ehi_revocation_failures{${source},subject=""}`]: '9x25 0x60' },
    ],
  },
  EhiRevocationUnknown: {
    fires: { 'ehi_revocation_checks_total{anchor="a",status="unknown"}': perMinute(1) },
    labels: { anchor: 'a' },
    description:
      'In 10 handshakes of the anchor a in ten minutes no CRL or OCSP response gave the status. These clients are denied unless revocation.onUnknown is allow.',
    silent: [
      {
        'ehi_revocation_checks_total{anchor="a",status="good"}': perMinute(9),
        'ehi_revocation_checks_total{anchor="a",status="unknown"}': '7x60',
      },
    ],
  },
  EhiRevocationSoftFailing: {
    fires: { ehi_revocation_soft_failing: '2x60', 'ehi_revocation_soft_failing{pod="b"}': '1x60' },
    labels: {},
    description:
      '3 connections are open only because revocation.onUnknown is allow. A revoked certificate is accepted in this state.',
    silent: [{ ehi_revocation_soft_failing: '0x60' }],
  },
  EhiAuditFailing: {
    fires: { ehi_audit_failing_since_timestamp_seconds: '0x5 1764547200x60' },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a cannot write to audit.destination since 2025-12-01 00:00:00 +0000 UTC. Its log names the error, and says whether the records are kept in memory (up to 64 MiB, lost if the process ends), are lost, or go into the renamed file. Free disk space, correct the path, or restart the reader of the records.',
    silent: [{ ehi_audit_failing_since_timestamp_seconds: '0x60' }],
  },
  EhiAuditRefusesMessages: {
    fires: { [unaudited]: perMinute(60) },
    labels: {},
    description:
      '1 messages a second get 503, because audit.onFailure is refuse. The log names the error. Free disk space, or restart the reader of the records.',
    silent: [{ [unaudited]: '7x60' }, { [shed]: perMinute(60) }],
  },
  EhiAuditRecordsLost: {
    fires: { ehi_audit_records_lost_total: perMinute(2) },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a lost 20 audit records in ten minutes, because they could not be written. Its log names the error.',
    silent: [{ ehi_audit_records_lost_total: '5x60' }],
  },
  EhiAuditSealFailed: {
    fires: { ehi_audit_seal_failures_total: '0x5 1x55' },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a could not make a seal and writes audit records without seals until it is restarted. Its log names the error.',
    silent: [{ ehi_audit_seal_failures_total: '0x60' }],
  },
  EhiAuditSealsMissing: {
    fires: { ehi_audit_seals_missing: '0x5 1x55' },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a did not find the last seal that it wrote before its start in its audit files. If they were not moved on purpose, keep the files and find out who changed them.',
    silent: [{ ehi_audit_seals_missing: '0x60' }],
  },
  EhiAuditSealLate: {
    fires: { ehi_audit_last_seal_timestamp_seconds: '60x60', [message(200)]: perMinute(9) },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a relays messages and has written no seal for 29m 0s. The audit destination does not accept records, or the control thread hangs: look at ehi_audit_queue_bytes and at the log.',
    silent: [
      { ehi_audit_last_seal_timestamp_seconds: '0+60x60', [message(200)]: perMinute(9) },
      // Nothing to seal.
      { ehi_audit_last_seal_timestamp_seconds: '60x60', [message(200)]: '9x60' },
      // Without audit.seal.
      { ehi_audit_last_seal_timestamp_seconds: '0x60', [message(200)]: perMinute(9) },
    ],
  },
  EhiAuditTruncated: {
    fires: { ehi_audit_truncations_total: '0x20 1x40' },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'The open audit file of a became shorter than what was written to it. Records may be missing. logrotate with copytruncate does this: let it rename the file instead, or use audit.rotate. If no rotation is configured so, find out who changed the file.',
    silent: [{ ehi_audit_truncations_total: '1x60' }],
  },
  EhiAuditRotationFails: {
    fires: { ehi_audit_rotation_failures_total: '0x20 1x40' },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a cannot rotate its audit file, which grows beyond audit.rotate.size. Its log names the error.',
    silent: [{ ehi_audit_rotation_failures_total: '1x60' }],
  },
  EhiLogLinesDropped: {
    fires: { ehi_log_lines_dropped_total: perMinute(2) },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description:
      'a dropped 30 lines in 15 minutes, because its standard error did not accept them. The reader of the log has stopped, or its disk is full.',
    silent: [{ ehi_log_lines_dropped_total: '5x60' }],
  },
  EhiRelayThreadRestarted: {
    fires: { ehi_relay_thread_restarts_total: '0x20 1x60' },
    labels: { pod: 'a', job: 'edge-ehi-gateway-admin' },
    description: 'The connections of the thread in a were closed. The log names the cause.',
    silent: [{ ehi_relay_thread_restarts_total: '1x60' }],
  },
};
