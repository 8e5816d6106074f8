import { applyPreferences } from "./lib/preferences.ts";

/* Before the first paint, so that nobody who chose the dark sees a flash of light. */
applyPreferences();
