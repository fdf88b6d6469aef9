{{- /* The alerts of files/alerts.yaml, with the labels of this release. */ -}}

{{- define "ehi-gateway.alerts" -}}
{{- $fetched := list "none" }}
{{- range dig "trust" "anchors" list .Values.config }}
{{- if not .files }}{{ $fetched = append $fetched (.name | replace "." "[.]") }}{{ end }}
{{- end }}
{{- .Files.Get "files/alerts.yaml" | replace "$gateway" (include "ehi-gateway.series" .) | replace "$fetched" (join "|" $fetched) }}
{{- end }}

{{- /* The labels that the Prometheus operator adds to this release's series. */ -}}
{{- define "ehi-gateway.series" -}}
namespace="{{ .Release.Namespace }}"
{{- if .Values.monitoring.serviceMonitor.enabled }},job="{{ include "ehi-gateway.fullname" . }}-admin"
{{- else if .Values.monitoring.podMonitor.enabled }},job="{{ .Release.Namespace }}/{{ include "ehi-gateway.fullname" . }}"
{{- end }}
{{- end }}
