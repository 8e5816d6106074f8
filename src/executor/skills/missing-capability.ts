import type { SkillFailure } from "./skill.ts";

interface Need {
  lacks: string;
  unblock: string;
}

/** What the built-in executor needs, beyond its own skill, for all that a type can mean; and who would have it. */
const NEEDS: Readonly<Record<string, Need>> = {
  code_generation: {
    lacks: "a model that writes code, and a workspace to build and test it in",
    unblock: "an executor with a code model and a sandboxed workspace",
  },
  code_debugging: {
    lacks:
      "a model that reads code, the repository checked out, and a sandbox that reproduces the fault",
    unblock: "an executor with a code model, access to the repository and a sandbox",
  },
  documentation: {
    lacks: "a model that writes prose from source code",
    unblock:
      "an executor with a language model; to condense text that exists, submit task_type general with input_data.text",
  },
  testing: {
    lacks: "a sandbox that installs the project and runs its tests",
    unblock: "an executor on a machine or CI runner that can run the project's test command",
  },
  deployment: {
    lacks: "deploy hooks and the credentials of the target environment",
    unblock: "an executor beside your deployment pipeline that holds those credentials",
  },
  configuration: {
    lacks: "write access to the system to be configured, and a way to verify the change",
    unblock: "an executor inside that system's network with the right to change it",
  },
  monitoring: {
    lacks: "a metrics or log source to watch",
    unblock: "an executor connected to your metrics or log store",
  },
  research: {
    lacks: "web or document search and a model to weigh sources",
    unblock:
      "an executor with search and a language model; to condense documents at hand, submit task_type general with input_data.documents",
  },
  data_analysis: {
    lacks: "a model that reads data which is no table",
    unblock:
      "an executor that reads such data; a table goes into input_data.csv or input_data.rows",
  },
  general: {
    lacks: "a language model",
    unblock:
      "an executor with a language model; text to condense goes into input_data.text or input_data.documents",
  },
};

/**
 * What the built-in executor lacks for a task, and what would unblock it; never a retry, which would find the same lack.
 *
 * A type outside protocol.md §2 gets a general answer instead of an error.
 *
 * @param lack the skill's own word on this very task, where it has one
 */
export function missingCapability(task_type: string, lack: string | null = null): SkillFailure {
  const need = Object.hasOwn(NEEDS, task_type) ? NEEDS[task_type] : undefined;
  const lacks = need?.lacks ?? "a skill for this task type";
  const unblock = need?.unblock ?? "an executor that declares this task type";
  const detail =
    lack === null
      ? `The built-in executor sam cannot do this ${task_type} task: it lacks ${lacks}.`
      : `The built-in executor sam cannot do this ${task_type} task without a model: ${lack}`;
  return {
    error_type: "missing_capability",
    error_message: detail,
    root_cause: {
      class: "missing_capability",
      detail,
      evidence: `No external executor took the task, and no model is enabled that may do it; requested was ${task_type}.`,
    },
    recovery_suggestions: [
      `Enable a model that fits the task (PUT /v1/models/{model_id}), and resume it.`,
      `Register ${unblock}, with "${task_type}" in its task_types (PUT /v1/agents/{agent_id}), and resume the task: a registered executor is preferred over sam.`,
      'Follow "Write an executor" in README.md (README.md#write-an-executor): a complete example in 40 lines.',
    ],
    retry_recommended: false,
  };
}
