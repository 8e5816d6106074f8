import * as z from "zod";

import { ok } from "../lib/result.ts";
import {
  acknowledgementSchema,
  alertNameSchema,
  alertRuleRequestSchema,
  alertRuleSchema,
  alertsQuerySchema,
  alertViewSchema,
  silenceRequestSchema,
  silenceSchema,
} from "../protocol/alerts.ts";
import { pageOf, pageQuerySchema } from "../protocol/queries.ts";
import { answered } from "./audit-rule.ts";
import { empty, json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";
import { pageOfShort } from "./short-list.ts";

const ruleParams = z.strictObject({ rule_id: alertNameSchema });
const alertParams = z.strictObject({ alert_id: pathIdSchema });
const silenceParams = z.strictObject({ silence_id: pathIdSchema });

const READERS = ["orchestrate", "observe"] as const;

/** Rules that watch figures. */
const ruleRoutes: readonly Route[] = [
  route({
    id: "list_alert_rules",
    method: "GET",
    path: "/v1/alert-rules",
    tag: "Operations",
    summary: "The rules in force that watch figures",
    description:
      "Those that the tenant has put, and those that come with Batuta and were not replaced.",
    scopes: READERS,
    query: pageQuerySchema,
    answers: { 200: json(pageOf(alertRuleSchema, "AlertRulePage"), "A page of rules") },
    async handle({ alerts }, { principal, query }) {
      const rules = await alerts.rules(principal.tenant);
      return ok({ status: 200, body: pageOfShort(rules, ({ rule_id }) => rule_id, query) });
    },
  }),
  route({
    id: "get_alert_rule",
    method: "GET",
    path: "/v1/alert-rules/:rule_id",
    tag: "Operations",
    summary: "A rule that watches a figure",
    scopes: READERS,
    params: ruleParams,
    answers: { 200: json(alertRuleSchema, "The rule") },
    refusals: ["alert_rule_not_found"],
    async handle({ alerts }, { principal, params }) {
      const found = await alerts.rule(principal.tenant, params.rule_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "put_alert_rule",
    method: "PUT",
    path: "/v1/alert-rules/:rule_id",
    tag: "Operations",
    summary: "Have a figure watched, or change how",
    description:
      "Judged from the next minute on. Under the id of a rule that comes with Batuta it replaces that one, also to switch it off.",
    scopes: ["admin"],
    params: ruleParams,
    body: alertRuleRequestSchema,
    answers: { 200: json(alertRuleSchema, "The rule") },
    refusals: ["alerting_refused"],
    audit: {
      action: "alert_rule_put",
      kind: "alert_rule",
      subject: ({ params }) => params.rule_id,
      detail: ({ body }) => ({
        metric: body.metric,
        comparison: body.comparison,
        threshold: body.threshold,
        severity: body.severity,
        is_enabled: body.is_enabled,
      }),
    },
    async handle({ alerts }, { principal, params, body }) {
      const put = await alerts.putRule(principal.tenant, params.rule_id, body);
      return replyWith(put, (rule) => ({ status: 200, body: rule }));
    },
  }),
  route({
    id: "delete_alert_rule",
    method: "DELETE",
    path: "/v1/alert-rules/:rule_id",
    tag: "Operations",
    summary: "Take a rule away; its alert resolves",
    description: "A rule that comes with Batuta under this id is in force again.",
    scopes: ["admin"],
    params: ruleParams,
    answers: { 204: empty("It is gone") },
    refusals: ["alert_rule_not_found"],
    audit: {
      action: "alert_rule_deleted",
      kind: "alert_rule",
      subject: ({ params }) => params.rule_id,
    },
    async handle({ alerts }, { principal, params }) {
      const removed = await alerts.removeRule(principal.tenant, params.rule_id);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
];

const silenceRoutes: readonly Route[] = [
  route({
    id: "list_silences",
    method: "GET",
    path: "/v1/silences",
    tag: "Operations",
    summary: "What nobody is told of at the moment",
    scopes: READERS,
    query: pageQuerySchema,
    answers: { 200: json(pageOf(silenceSchema, "SilencePage"), "A page of silences in force") },
    async handle({ alerts }, { principal, query }) {
      const silences = await alerts.silences(principal.tenant);
      const page = pageOfShort(silences, ({ silence_id }) => silence_id, query);
      return ok({ status: 200, body: page });
    },
  }),
  route({
    id: "create_silence",
    method: "POST",
    path: "/v1/silences",
    tag: "Operations",
    summary: "Have nobody told of some alerts for a while",
    description:
      "Alerts go on meanwhile. One that still fires when the silence ends, and that nobody has acknowledged, is told then.",
    scopes: ["orchestrate"],
    body: silenceRequestSchema,
    answers: { 201: json(silenceSchema, "The silence") },
    refusals: ["alert_rule_not_found", "alerting_refused"],
    audit: {
      action: "silence_created",
      kind: "silence",
      subject: (_request, reply) => answered(reply, "silence_id") ?? null,
      detail: ({ body }) => ({
        rule_id: body.rule_id ?? null,
        max_severity: body.max_severity,
        duration_s: body.duration_s,
      }),
    },
    async handle({ alerts }, { principal, body }) {
      const made = await alerts.silence(principal, body);
      return replyWith(made, (silence) => ({ status: 201, body: silence }));
    },
  }),
  route({
    id: "delete_silence",
    method: "DELETE",
    path: "/v1/silences/:silence_id",
    tag: "Operations",
    summary: "End a silence",
    scopes: ["orchestrate"],
    params: silenceParams,
    answers: { 204: empty("It is over") },
    refusals: ["silence_not_found"],
    audit: {
      action: "silence_ended",
      kind: "silence",
      subject: ({ params }) => params.silence_id,
    },
    async handle({ alerts }, { principal, params }) {
      const ended = await alerts.endSilence(principal.tenant, params.silence_id);
      return replyWith(ended, () => ({ status: 204 }));
    },
  }),
];

/** Alerts, the rules that they come from, and silences. */
export const alertRoutes: readonly Route[] = [
  ...ruleRoutes,
  route({
    id: "list_alerts",
    method: "GET",
    path: "/v1/alerts",
    tag: "Operations",
    summary: "Alerts, newest first",
    description: "Those that are over are kept for 90 days.",
    scopes: READERS,
    query: alertsQuerySchema,
    answers: { 200: json(pageOf(alertViewSchema, "AlertPage"), "A page of alerts") },
    async handle({ alerts }, { principal, query }) {
      const page = await alerts.list(principal.tenant, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_alert",
    method: "GET",
    path: "/v1/alerts/:alert_id",
    tag: "Operations",
    summary: "An alert, with the numbers that it rests on",
    scopes: READERS,
    params: alertParams,
    answers: { 200: json(alertViewSchema, "The alert") },
    refusals: ["alert_not_found"],
    async handle({ alerts }, { principal, params }) {
      const found = await alerts.get(principal.tenant, params.alert_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "acknowledge_alert",
    method: "POST",
    path: "/v1/alerts/:alert_id/acknowledge",
    tag: "Operations",
    summary: "Say that you look after an alert that fires",
    scopes: ["orchestrate"],
    params: alertParams,
    body: acknowledgementSchema,
    answers: { 200: json(alertViewSchema, "The alert") },
    refusals: ["alert_not_found", "alert_closed"],
    audit: {
      action: "alert_acknowledged",
      kind: "alert",
      subject: ({ params }) => params.alert_id,
      detail: ({ body }) => ({ has_note: body.note !== undefined }),
    },
    async handle({ alerts }, { principal, params, body }) {
      const noted = await alerts.acknowledge(principal, params.alert_id, body.note ?? null);
      return replyWith(noted, (alert) => ({ status: 200, body: alert }));
    },
  }),
  ...silenceRoutes,
];
