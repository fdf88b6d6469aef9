{{- /* The mounts. Always folders: the kubelet does not update single files when their Secret or ConfigMap changes. */ -}}

{{- define "ehi-gateway.volumes" -}}
- name: config
  configMap:
    name: {{ include "ehi-gateway.fullname" . }}
{{- range $index, $certificate := .Values.certificates }}
{{- if not .chain }}
- name: tls-{{ $index }}
  secret:
    secretName: {{ include "ehi-gateway.certificateSecretName" (dict "root" $ "index" $index "certificate" .) }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- range $name, $source := .Values.files }}
- name: files-{{ $name }}
  {{- if .secret }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
  {{- else }}
  configMap:
    name: {{ .configMap }}
  {{- end }}
{{- end }}
{{- if include "ehi-gateway.resumes" . }}
- name: resumption
  secret:
    secretName: {{ include "ehi-gateway.resumptionSecretName" . }}
    items:
      - { key: {{ .Values.resumption.key }}, path: secret }
    defaultMode: 0440
{{- end }}
{{- with .Values.auditKey }}
{{- if .existingSecret }}
- name: audit-key
  secret:
    secretName: {{ .existingSecret }}
    items:
      - { key: {{ .key }}, path: audit.key }
    defaultMode: 0440
{{- end }}
{{- end }}
- name: trust
  {{- if eq .Values.trustCache.type "emptyDir" }}
  emptyDir:
    sizeLimit: {{ .Values.trustCache.size }}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ include "ehi-gateway.trustClaimName" . }}
  {{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ehi-gateway.volumeMounts" -}}
- name: config
  mountPath: /etc/ehi-gateway/config
  readOnly: true
{{- range $index, $certificate := .Values.certificates }}
{{- if not .chain }}
- name: tls-{{ $index }}
  mountPath: /etc/ehi-gateway/tls/{{ $index }}
  readOnly: true
{{- end }}
{{- end }}
{{- range $name, $source := .Values.files }}
- name: files-{{ $name }}
  mountPath: /etc/ehi-gateway/files/{{ $name }}
  readOnly: true
{{- end }}
{{- if include "ehi-gateway.resumes" . }}
- name: resumption
  mountPath: /etc/ehi-gateway/resumption
  readOnly: true
{{- end }}
{{- if .Values.auditKey.existingSecret }}
- name: audit-key
  mountPath: /etc/ehi-gateway/audit-key
  readOnly: true
{{- end }}
- name: trust
  mountPath: /var/lib/ehi-gateway/trust
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
