/** A miniature OpenTelemetry collector on loopback: takes OTLP over HTTP in JSON, with configurable failures. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { type Listening, listenOnLoopback } from './listening.ts';

/** A span as received, and its attributes by name. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly flags: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Export {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** As received. */
  readonly body: string;
  readonly resource: Readonly<Record<string, string>>;
  readonly spans: readonly CollectedSpan[];
}

export interface Collector extends Listening {
  readonly url: string;
  /** Every complete export in order, whatever the response. */
  readonly exports: readonly Export[];
  /** If set, answers instead of 200; the export is recorded before. */
  answer: RequestListener | null;
  readonly spans: readonly CollectedSpan[];
  /** Resolves when `count` exports have arrived. */
  whenExported(exports: number): Promise<void>;
  /** The matching spans, once there are `count` of them. */
  collect(count: number, fits?: (span: CollectedSpan) => boolean): Promise<readonly CollectedSpan[]>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

export async function openCollector({ tls, at }: { tls?: TlsOptions; at?: number } = {}): Promise<Collector> {
  const exports: Export[] = [];
  const waiting = new Set<() => void>();
  const serve: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      exports.push(readExport(request, body));
      if (collector.answer !== null) collector.answer(request, response);
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      for (const wake of waiting) wake();
      waiting.clear();
    });
  };
  const server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve);
  const listening = await listenOnLoopback(server, at);
  const until = async <T>(look: () => T | null): Promise<T> => {
    for (;;) {
      const found = look();
      if (found !== null) return found;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  const collector: Collector = {
    ...listening,
    url: `http${tls ? 's' : ''}://127.0.0.1:${listening.port}/v1/traces`,
    exports,
    answer: null,
    get spans() {
      return exports.flatMap(({ spans }) => spans);
    },
    whenExported: (count) => until(() => (exports.length >= count ? undefined : null)),
    collect: (count, fits = () => true) =>
      until(() => {
        const found = collector.spans.filter(fits);
        return found.length >= count ? found : null;
      }),
  };
  return collector;
}

function readExport(request: IncomingMessage, body: string): Export {
  const { resourceSpans } = JSON.parse(body);
  const [{ resource, scopeSpans }] = resourceSpans;
  return {
    path: request.url ?? '',
    headers: request.headers,
    body,
    resource: named(resource.attributes),
    spans: scopeSpans[0].spans.map((span: { attributes: Attribute[] }) => ({
      ...span,
      attributes: named(span.attributes),
    })),
  };
}

function named(attributes: readonly Attribute[]): Record<string, string> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? '']),
  );
}
