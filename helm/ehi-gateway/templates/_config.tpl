{{- /* The gateway's configuration: `values.config`, and the fields that the chart sets. */ -}}

{{- /* Helm reads `off` and `on` as booleans; the gateway needs the words. */ -}}
{{- define "ehi-gateway.words" -}}
{{- $withOff := regexReplaceAll "(?m)^(\\s*(?:- )?(?:crl|ocsp|resumption|reuse|tracing)): false$" . "${1}: \"off\"" }}
{{- regexReplaceAll "(?m)^(\\s*(?:- )?reuse): true$" $withOff "${1}: \"on\"" }}
{{- end }}

{{- define "ehi-gateway.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $listen := $config.listen | default dict }}
{{- $_ := set $listen "address" .Values.address }}
{{- $_ := set $listen "port" .Values.ports.listener }}
{{- $_ := set $listen "certificate" (include "ehi-gateway.certificates" . | fromYamlArray) }}
{{- if include "ehi-gateway.resumes" . }}
{{- $_ := set $listen "resumption" (set ($listen.resumption | default dict) "secretFile" "/etc/ehi-gateway/resumption/secret") }}
{{- end }}
{{- if .Values.auditKey.existingSecret }}
{{- $audit := $config.audit | default dict }}
{{- $seal := set ($audit.seal | default dict) "key" "/etc/ehi-gateway/audit-key/audit.key" }}
{{- $_ := set $config "audit" (set $audit "seal" $seal) }}
{{- end }}
{{- with .Values.service.proxyProtocol }}
{{- if .provider }}
{{- $_ := set $listen "proxyProtocol" (dict "trusted" .trusted) }}
{{- end }}
{{- end }}
{{- $_ := set $config "listen" $listen }}
{{- $_ := set $config "trust" (set ($config.trust | default dict) "cacheDir" "/var/lib/ehi-gateway/trust") }}
{{- $admin := dict "address" .Values.address "port" .Values.ports.admin }}
{{- with .Values.adminHosts }}
{{- $_ := set $admin "hosts" . }}
{{- end }}
{{- $_ := set $config "admin" $admin }}
{{- include "ehi-gateway.words" (toYaml $config) }}
{{- end }}

{{- define "ehi-gateway.certificates" -}}
{{- range $index, $certificate := .Values.certificates }}
{{- if .chain }}
- {{ pick . "chain" "key" "passphraseFile" | toJson }}
{{- else }}
{{- $folder := printf "/etc/ehi-gateway/tls/%d" $index }}
- chain: {{ $folder }}/{{ .chainKey | default "tls.crt" }}
  key: {{ $folder }}/{{ .keyKey | default "tls.key" }}
  {{- with .passphraseKey }}
  passphraseFile: {{ $folder }}/{{ . }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Not empty if session resumption is on. */ -}}
{{- define "ehi-gateway.resumes" -}}
{{- $resumption := dig "listen" "resumption" dict .Values.config }}
{{- if kindIs "map" $resumption }}true{{ end }}
{{- end }}

{{- /* Values that the gateway reads only at its start: a change replaces the pod. It applies all other changes while it runs. */ -}}
{{- define "ehi-gateway.fixed" -}}
{{- $fixed := dict "address" .Values.address "ports" .Values.ports "relays" (.Values.config.relays | default "auto") "audit" .Values.config.audit }}
{{- /* With relays: auto the gateway decides at its start how many threads with so many connections its memory is enough for. */ -}}
{{- if eq (.Values.config.relays | default "auto" | toString) "auto" }}
{{- $_ := set $fixed "connections" (include "ehi-gateway.connections" .) }}
{{- end }}
{{- if .Values.auditKey.existingSecret }}
{{- $_ := set $fixed "auditKey" .Values.auditKey }}
{{- end }}
{{- toJson $fixed }}
{{- end }}

{{- /* Converts a duration of the configuration to whole seconds, rounded up. */ -}}
{{- define "ehi-gateway.seconds" -}}
{{- $count := regexFind "^[0-9]+" . | int }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- if eq $unit "ms" }}{{ div (add $count 999) 1000 }}
{{- else if eq $unit "s" }}{{ $count }}
{{- else if eq $unit "m" }}{{ mul $count 60 }}
{{- else }}{{ mul $count 3600 }}
{{- end }}
{{- end }}

{{- /* Seconds from SIGTERM, or from the start of the preStop sleep, to the end of the last response. */ -}}
{{- define "ehi-gateway.drainSeconds" -}}
{{- $timeouts := .Values.config.timeouts | default dict }}
{{- $delay := include "ehi-gateway.seconds" ($timeouts.drainDelay | default "0s") | int }}
{{- $drain := include "ehi-gateway.seconds" ($timeouts.drain | default "30s") | int }}
{{- add .Values.preStopSleepSeconds $delay $drain }}
{{- end }}

{{- define "ehi-gateway.gracePeriod" -}}
{{- .Values.terminationGracePeriodSeconds | default (add (include "ehi-gateway.drainSeconds" . | int) 5) }}
{{- end }}

{{- /* The port of a URL; empty for a Unix socket. */ -}}
{{- define "ehi-gateway.portOf" -}}
{{- if hasPrefix "http" . }}
{{- $authority := regexFind "^https?://(\\[[^\\]]*\\])?[^/]*" . }}
{{- regexFind ":[0-9]+$" $authority | trimPrefix ":" | default (hasPrefix "https:" . | ternary "443" "80") }}
{{- end }}
{{- end }}

{{- /* The ports of all upstreams, one on each line. */ -}}
{{- define "ehi-gateway.upstreamPorts" -}}
{{- $ports := list }}
{{- range .Values.config.routes }}
{{- range (kindIs "slice" .upstream | ternary .upstream (list .upstream)) }}
{{- $url := kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "url") }}
{{- $ports = append $ports (include "ehi-gateway.portOf" $url) }}
{{- end }}
{{- end }}
{{- compact $ports | uniq | join "\n" }}
{{- end }}
