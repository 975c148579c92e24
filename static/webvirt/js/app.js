// What every page of the frame runs. Each module looks for its own data- attributes.
import "./zone.js";
import "./frame.js";
import "./times.js";
import "./dialogs.js";
import "./actions.js";
import "./search.js";
import "./live.js";
