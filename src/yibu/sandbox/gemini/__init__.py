"""Google's Gemini API, written by hand from Google's documentation (*generateContent*, *Function calling*), read 2026-11-22."""
