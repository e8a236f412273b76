//! Messages: templates, their checks, and rendering.
