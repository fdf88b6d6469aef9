/** The body of an OTLP export: ExportTraceServiceRequest, in JSON. */
import { attributesJson } from './otlp-json.ts';

export interface ResourceFacts {
  readonly serviceName: string;
  readonly version: string;
  /** Tells processes of one service apart: by chance, and by the machine. */
  readonly instanceId: string;
  readonly host: string;
}

/** What comes before the spans; made once. */
export function requestStart({ serviceName, version, instanceId, host }: ResourceFacts): string {
  const attributes = attributesJson([
    ['service.name', serviceName],
    ['service.version', version],
    ['service.instance.id', instanceId],
    ['host.name', host],
  ]);
  const scope = { name: 'ehi-gateway', version };
  return `{"resourceSpans":[{"resource":{"attributes":${attributes}},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`;
}

/** `spans`: each as tracing/span.ts writes it. */
export function exportRequest(start: string, spans: readonly string[]): string {
  return `${start}${spans.join(',')}]}]}]}`;
}
