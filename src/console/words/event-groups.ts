import { dictionary } from "./dictionary.ts";

/** Groups of notifications that an endpoint may ask for. */
export const eventGroupWords = dictionary(
  {
    all: "Everything",
    task_lifecycle: "Life of tasks",
    agent_status: "State of agents",
    system_event: "The system itself",
    error_event: "Failures",
    performance_metric: "Performance",
  },
  {
    all: "Todo",
    task_lifecycle: "Vida de las tareas",
    agent_status: "Estado de agentes",
    system_event: "El propio sistema",
    error_event: "Fallos",
    performance_metric: "Rendimiento",
  },
);
